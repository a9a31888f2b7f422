//! Values that arguments and `factgate.toml` share, each held to what the run can use.

use std::time::Duration;

use url::Url;

/// A duration with its unit, such as `90s` or `15m`. None is no limit that a run could keep: it would fail whatever it limits.
///
/// # Errors
///
/// If the text is not a duration, or is none at all.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<humantime::Duration>().map_err(|error| error.to_string())?;
    if duration.is_zero() {
        return Err("it must be longer than nothing".to_owned());
    }
    Ok(duration.into())
}

/// The URL of an endpoint, as it was given.
///
/// # Errors
///
/// If the text is not an absolute `http` or `https` URL.
pub(crate) fn endpoint(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("its scheme is {}, not http or https", url.scheme()));
    }
    Ok(text.to_owned())
}

/// A share in percent.
///
/// # Errors
///
/// If the text is no number between 0 and 100.
pub(crate) fn percentage(text: &str) -> Result<f64, String> {
    let share: f64 = text.trim_end_matches('%').trim_end().parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=100.0).contains(&share) { Ok(share) } else { Err("it must lie between 0 and 100".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_positive() {
        assert_eq!(positive_duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert!(positive_duration("0s").unwrap_err().contains("longer"));
        assert!(positive_duration("5").is_err());
    }

    #[test]
    fn percentages_lie_between_nothing_and_all() {
        assert_eq!((percentage("98"), percentage("99.5 %")), (Ok(98.0), Ok(99.5)));
        for bad in ["", "-1", "101", "NaN", "all"] {
            assert!(percentage(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoints_are_absolute_web_addresses() {
        assert_eq!(endpoint("http://127.0.0.1:5000").as_deref(), Ok("http://127.0.0.1:5000"));
        for bad in ["", "127.0.0.1:5000", "localhost:5000", "ftp://host", "http://"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
