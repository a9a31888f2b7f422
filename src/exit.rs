//! Exit codes: what a run of factgate tells the shell. They are a contract; the output format never changes them.

use crate::verdict::{Outcome, Verdict};

/// How a run ended, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// 0: GO. Every covered lane passes and the document is sealed.
    Go = 0,
    /// 1: NO-GO. At least one covered lane is blocked, or the document is unsealed.
    NoGo = 1,
    /// 2: the command line or the configuration is wrong.
    Usage = 2,
    /// 3: NO-GO only because facts were unreadable: worth a retry.
    Unreadable = 3,
    /// 4: a policy, a fact document or another input is wrong, or evidence could not be written. Nothing was decided.
    Input = 4,
    /// 5: nothing was evaluated: no policies, no lanes, or a lane was asked for that is not there.
    NothingEvaluated = 5,
}

impl ExitCode {
    /// Every exit code, in order.
    pub const ALL: [Self; 6] =
        [Self::Go, Self::NoGo, Self::Usage, Self::Unreadable, Self::Input, Self::NothingEvaluated];

    /// The number that the shell sees.
    pub const fn number(self) -> u8 {
        match self {
            Self::Go => 0,
            Self::NoGo => 1,
            Self::Usage => 2,
            Self::Unreadable => 3,
            Self::Input => 4,
            Self::NothingEvaluated => 5,
        }
    }

    /// What it means, for help texts and documentation.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
            Self::Usage => "usage error",
            Self::Unreadable => "NO-GO only because facts were unreadable",
            Self::Input => "policy or input error",
            Self::NothingEvaluated => "nothing was evaluated",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

impl Verdict {
    /// The exit code of a run that ends with this verdict.
    pub fn exit_code(&self) -> ExitCode {
        match self.outcome {
            Outcome::Go => ExitCode::Go,
            Outcome::NoGo if self.only_unreadable => ExitCode::Unreadable,
            Outcome::NoGo => ExitCode::NoGo,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode;

    #[test]
    fn the_numbers_are_the_documented_contract() {
        let numbers: Vec<(u8, &str)> = ExitCode::ALL.iter().map(|code| (code.number(), code.meaning())).collect();
        assert_eq!(
            numbers,
            [
                (0, "GO"),
                (1, "NO-GO"),
                (2, "usage error"),
                (3, "NO-GO only because facts were unreadable"),
                (4, "policy or input error"),
                (5, "nothing was evaluated"),
            ]
        );
        assert!(ExitCode::ALL.iter().all(|code| code.number() == *code as u8));
    }
}
