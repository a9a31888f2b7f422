//! ARNs, as far as reads need their parts.

/// The region in an ARN of this service; none for other texts, and for ARNs of things that have no region.
pub(super) fn region_of<'a>(arn: &'a str, service: &str) -> Option<&'a str> {
    let mut parts = arn.split(':');
    match (parts.next(), parts.nth(1), parts.next()) {
        (Some("arn"), Some(named), Some(region)) if named == service && !region.is_empty() => Some(region),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_names_the_region() {
        assert_eq!(region_of("arn:aws:kafka:eu-west-1:123456789012:cluster/c/u", "kafka"), Some("eu-west-1"));
        for other in ["", "c", "arn:aws:kafka::1:cluster/c", "arn:aws:iam:eu-west-1:1:role/r"] {
            assert_eq!(region_of(other, "kafka"), None, "{other}");
        }
    }
}
