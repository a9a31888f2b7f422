//! What a failed call means: one of the classes that a fact can fail in.

use crate::fact::ReadErrorKind;

use super::operation::Operation;

/// Codes of answers that say "slow down"; besides these, every code that contains `Throttl`.
const THROTTLED: [&str; 7] = [
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "TooManyRequests",
    "TooManyRequestsException",
];

/// Codes of answers that say "not you". Services that speak JSON send them with status 400, so the status alone tells little.
const DENIED: [&str; 22] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "AuthorizationError",
    "AuthorizationErrorException",
    "ExpiredToken",
    "ExpiredTokenException",
    "Forbidden",
    "ForbiddenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "NotAuthorizedException",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// The class of an error answer. [`ReadErrorKind::NotFound`] only for the codes that the operation documents for it: a
/// "not found" of anything else (a role that the service cannot assume, a page token) must not make a resource absent.
pub(super) fn refusal(operation: &Operation, status: u16, code: &str) -> ReadErrorKind {
    if (400..500).contains(&status) && operation.absent.contains(&code) {
        ReadErrorKind::NotFound
    } else if status == 429 || THROTTLED.contains(&code) || code.contains("Throttl") {
        ReadErrorKind::Throttled
    } else if status == 401 || status == 403 || DENIED.contains(&code) {
        ReadErrorKind::Denied
    } else if status >= 500 {
        ReadErrorKind::Server
    } else if (200..300).contains(&status) {
        ReadErrorKind::Malformed
    } else {
        ReadErrorKind::Rejected
    }
}

/// A code for an answer that has none, as those to HEAD requests: the status in words, as services spell their codes.
pub(super) fn status_code(status: u16) -> String {
    match status {
        301 => "PermanentRedirect".to_owned(),
        307 => "TemporaryRedirect".to_owned(),
        400 => "BadRequest".to_owned(),
        401 => "Unauthorized".to_owned(),
        403 => "Forbidden".to_owned(),
        404 => "NotFound".to_owned(),
        429 => "TooManyRequests".to_owned(),
        500 => "InternalServerError".to_owned(),
        502 => "BadGateway".to_owned(),
        503 => "ServiceUnavailable".to_owned(),
        504 => "GatewayTimeout".to_owned(),
        other => format!("Http{other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Operation =
        Operation::json("kms", "DescribeKey", "kms:DescribeKey", "KeyMetadata").absent(&["NotFoundException"]);

    #[test]
    fn every_class_of_refusal_is_told_apart() {
        let cases = [
            (400, "NotFoundException", ReadErrorKind::NotFound),
            (404, "NotFoundException", ReadErrorKind::NotFound),
            (500, "NotFoundException", ReadErrorKind::Server),
            (404, "ResourceNotFoundException", ReadErrorKind::Rejected),
            (400, "AccessDeniedException", ReadErrorKind::Denied),
            (403, "SomethingNew", ReadErrorKind::Denied),
            (401, "", ReadErrorKind::Denied),
            (400, "ExpiredTokenException", ReadErrorKind::Denied),
            (400, "ThrottlingException", ReadErrorKind::Throttled),
            (403, "RequestThrottledException", ReadErrorKind::Throttled),
            (503, "SlowDown", ReadErrorKind::Throttled),
            (429, "", ReadErrorKind::Throttled),
            (503, "ServiceUnavailable", ReadErrorKind::Server),
            (500, "KMSInternalException", ReadErrorKind::Server),
            (501, "NotImplemented", ReadErrorKind::Server),
            (400, "ValidationException", ReadErrorKind::Rejected),
            (301, "PermanentRedirect", ReadErrorKind::Rejected),
            (200, "", ReadErrorKind::Malformed),
        ];
        for (status, code, kind) in cases {
            assert_eq!(refusal(&READ, status, code), kind, "{status} {code}");
        }
    }
}
