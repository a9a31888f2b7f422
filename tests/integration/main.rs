//! Integration tests: one binary, so that the AWS SDK is linked once.
