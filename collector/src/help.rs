//! What a user can do about an error.

/// Advice that goes with an error. The command line prints the chain of messages first and the advice, if there is any, on a
/// line of its own: `help: …`.
pub trait Help {
    /// What to do about it; `None` where there is nothing better to say than the message itself.
    fn help(&self) -> Option<String>;
}
