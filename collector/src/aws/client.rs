//! The connection to AWS: region, endpoint, credentials, retries and time limits, the same for every service.

use std::time::{Duration, Instant};

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::ProvideCredentials;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::ServiceConfigKey;

use super::call;

/// The time within which a TCP or TLS connection must stand; a peer that does not answer at all is not worth a whole call's time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest pause before another attempt. After a first throttling the SDK's rate limiter would pause for ten seconds, and
/// longer than half a call's time a pause must not be, or the call's time is spent on waiting.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The services whose endpoints the environment can override one by one, as the SDK spells them in such settings.
const SERVICE_IDS: [&str; 20] = [
    "s3",
    "dynamodb",
    "kms",
    "iam",
    "sts",
    "kafka",
    "glue",
    "ssm",
    "resource_groups_tagging_api",
    "sfn",
    "apigatewayv2",
    "lambda",
    "eks",
    "sqs",
    "kinesis_analytics_v2",
    "sagemaker",
    "budgets",
    "cloudwatch",
    "cloudwatch_logs",
    "cost_explorer",
];

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The region; without one the registry's `AWS_REGION`, then the environment and the profile.
    pub region: Option<String>,
    /// An endpoint for every service; without one what the environment and the profile say.
    pub endpoint_url: Option<String>,
    /// The longest that one attempt of a call may take. A call takes at most this times [`Options::max_attempts`].
    pub call_timeout: Duration,
    /// When everything outstanding is given up.
    pub deadline: Instant,
    /// How often a call is tried before its failure is recorded.
    pub max_attempts: u32,
    /// How many calls each service gets at a time.
    pub concurrency: usize,
    /// Whether answers' bodies are handed over for keeping.
    pub keep_bodies: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            region: None,
            endpoint_url: None,
            call_timeout: Duration::from_secs(10),
            deadline: Instant::now() + Duration::from_secs(15 * 60),
            max_attempts: 4,
            concurrency: 8,
            keep_bodies: false,
        }
    }
}

/// Why no call can be made at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// Neither the options nor the registry nor the environment name a region.
    #[error("no AWS region is configured\nhelp: give --region, set AWS_REGION, or pin the handle `AWS_REGION`")]
    NoRegion,
    /// No provider in the SDK's chain has credentials.
    #[error(
        "no AWS credentials: {reason}\nhelp: run `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY"
    )]
    NoCredentials {
        /// What the providers said.
        reason: String,
    },
}

/// A configured, not yet used connection.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) config: SdkConfig,
    pub(super) options: Options,
    region: Option<String>,
    endpoint_url: Option<String>,
    unavailable: Option<ConnectionError>,
}

impl Connection {
    /// Resolves region, endpoint and credentials. `pinned_region` is the registry's `AWS_REGION`.
    ///
    /// This never fails: without a region or credentials every read becomes an unreadable fact. A caller that would rather
    /// not start asks [`Connection::verify`].
    pub async fn open(options: Options, pinned_region: Option<&str>) -> Self {
        let max_attempts = options.max_attempts.max(1);
        let options = Options { max_attempts, concurrency: options.concurrency.max(1), ..options };
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(options.call_timeout.min(CONNECT_TIMEOUT))
            .read_timeout(options.call_timeout)
            .operation_attempt_timeout(options.call_timeout)
            .operation_timeout(options.call_timeout * max_attempts)
            .build();
        // The version is named rather than `latest`, so that an SDK update does not change retries or endpoints unseen.
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http_client(&timeouts, ProxyConfig::from_env()))
            .timeout_config(timeouts.clone())
            .retry_config(
                RetryConfig::adaptive()
                    .with_max_attempts(max_attempts)
                    .with_max_backoff(MAX_BACKOFF.min(options.call_timeout / 2)),
            )
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled().grace_period(options.call_timeout).build(),
            );
        if let Ok(name) = AppName::new(concat!("factgate-", env!("CARGO_PKG_VERSION"))) {
            loader = loader.app_name(name);
        }
        if let Some(region) = options.region.as_deref().or(pinned_region) {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(url) = &options.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let mut config = loader.load().await;
        let endpoint_url = config.endpoint_url().map(str::to_owned).or_else(|| service_endpoint_url(&config));
        // As in the AWS CLI and Terraform, a stand-in on this very machine is not behind the proxy.
        if config.endpoint_url().is_some_and(is_loopback) {
            let direct = http_client(&timeouts, ProxyConfig::disabled());
            config = config.into_builder().http_client(direct).build();
        }
        let region = config.region().map(|region| region.as_ref().to_owned());
        let unavailable = match &region {
            None => Some(ConnectionError::NoRegion),
            Some(_) => credentials(&config, &options).await.err(),
        };
        Self { config, options, region, endpoint_url, unavailable }
    }

    /// Whether calls can be made.
    pub fn verify(&self) -> Result<(), ConnectionError> {
        self.unavailable.clone().map_or(Ok(()), Err)
    }

    /// The region of the reads; `unknown` where none is configured.
    pub fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("unknown")
    }

    /// The endpoint override in force, if any, whether for every service or for one of them.
    pub fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }

    /// The configuration for another region.
    pub(super) fn config_in(&self, region: &str) -> SdkConfig {
        if region == self.region() {
            return self.config.clone();
        }
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }
}

/// One connector for all services and regions, so that they share a connection pool.
fn http_client(timeouts: &TimeoutConfig, proxy: ProxyConfig) -> SharedHttpClient {
    let mut settings = HttpConnectorSettings::builder();
    settings.set_connect_timeout(timeouts.connect_timeout());
    settings.set_read_timeout(timeouts.read_timeout());
    let connector = aws_smithy_http_client::Connector::builder()
        .connector_settings(settings.build())
        .proxy_config(proxy)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

/// Resolves the credentials once before anything else: a chain that finds none takes seconds to say so, on every call.
async fn credentials(config: &SdkConfig, options: &Options) -> Result<(), ConnectionError> {
    let Some(provider) = config.credentials_provider() else {
        return Err(ConnectionError::NoCredentials { reason: "no provider is configured".to_owned() });
    };
    let limit = (Instant::now() + options.call_timeout * options.max_attempts).min(options.deadline);
    match tokio::time::timeout_at(limit.into(), provider.provide_credentials()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(ConnectionError::NoCredentials { reason: call::chain(&error) }),
        Err(_) => Err(ConnectionError::NoCredentials { reason: "the providers did not answer in time".to_owned() }),
    }
}

fn service_endpoint_url(config: &SdkConfig) -> Option<String> {
    let service_config = config.service_config()?;
    SERVICE_IDS.iter().find_map(|id| {
        let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        key.ok().and_then(|key| service_config.load_config(key))
    })
}

fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|loopback| host.starts_with(loopback))
}
