//! The command `test`: what an image would be updated to.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tracing::info;

use crate::adapters::credentials::reader::SourceReader;
use crate::adapters::registries_conf::source::RegistriesConf;
use crate::adapters::registry::CERTIFICATES;
use crate::adapters::registry::HttpRegistries;
use crate::adapters::registry::Setup;
use crate::adapters::registry::timings::Timings;
use crate::app::cli::test_arguments::Output;
use crate::app::cli::test_arguments::TestArguments;
use crate::app::registries::live::problems;
use crate::app::settings::LogFormat;
use crate::app::settings::LogSettings;
use crate::app::telemetry;
use crate::app::trial::TrialError;
use crate::app::trial::Verdict;
use crate::app::trial::json;
use crate::app::trial::text;
use crate::app::trial::try_out;
use crate::app::wiring::block_on;
use crate::app::wiring::complain;
use crate::app::wiring::lazy_secrets::LazySecrets;
use crate::app::wiring::print;
use crate::domain::policy::PolicyRules;
use crate::domain::registry::access::Access;
use crate::domain::registry::endpoint::Endpoint;
use crate::domain::registry::endpoint::Registries;
use crate::ports::registries_source::Description;
use crate::ports::registries_source::RegistriesSource as _;

/// Where registries are described if nobody says where.
const REGISTRIES: &str = "/app/config/registries.conf";

/// Asks, and prints what comes of it.
pub(super) fn run(arguments: TestArguments) -> ExitCode {
    let log = LogSettings {
        level: arguments.log_level,
        format: LogFormat::Text,
        colors: true,
    };
    if let Err(error) = telemetry::install(log) {
        return complain(format_args!("failed to start the log: {error}"), 1);
    }
    let output = arguments.output;
    let image = arguments.image.spelling().to_owned();
    block_on(async move {
        let outcome = judge(arguments).await;
        if let Err(error) = show(&image, output, outcome.as_ref()) {
            return complain(error, 1);
        }
        match outcome {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => complain(error, 1),
        }
    })
}

fn show(
    image: &str,
    output: Output,
    outcome: Result<&Verdict, &TrialError>,
) -> Result<(), serde_json::Error> {
    match (output, outcome) {
        (Output::Json, outcome) => {
            print(json::render(image, outcome)?);
        }
        (Output::Text, Ok(verdict)) => {
            print(text::render(verdict));
        }
        (Output::Text, Err(_)) => {}
    }
    Ok(())
}

async fn judge(arguments: TestArguments) -> Result<Verdict, TrialError> {
    let description = described(arguments.registries)?;
    let default = description.registries.default_registry();
    let name = default.resolve(arguments.image.name(), arguments.image.spelling());
    let endpoint = description.registries.endpoint_of(&name);
    let endpoint = Endpoint {
        limit: arguments.rate_limit.or(endpoint.limit),
        ..endpoint
    };
    info!(image = %name, registry = endpoint.name, api = endpoint.api, "asking the registry");
    let secrets = Arc::new(LazySecrets::new(arguments.kubeconfig));
    let client = HttpRegistries::new(Setup {
        registries: Registries::of(vec![endpoint]),
        credentials: Arc::new(SourceReader::new(secrets)),
        certificates: PathBuf::from(CERTIFICATES),
        meter: None,
        timings: Timings::default(),
    });
    let access = Access {
        image: name,
        credentials: arguments.credentials,
    };
    let rules = PolicyRules {
        strategy: arguments.strategy.as_deref(),
        constraint: arguments.constraint.as_deref(),
        allow_tags: arguments.allow_tags.as_deref(),
        ignore_tags: &arguments.ignore_tags,
        platforms: &arguments.platforms,
    };
    let mut verdict = try_out(access, &rules, &client).await?;
    verdict.notes.splice(0..0, description.warnings);
    verdict
        .notes
        .extend(arguments.ignored_version.map(|version| {
            format!("{version} of IMAGE does not count: the constraint is --semver-constraint")
        }));
    Ok(verdict)
}

/// The registries of the file that is named, which has to be there, or of the usual one.
fn described(named: Option<PathBuf>) -> Result<Description, TrialError> {
    let is_named = named.is_some();
    let file = named.unwrap_or_else(|| PathBuf::from(REGISTRIES));
    let source = RegistriesConf::new((!file.as_os_str().is_empty()).then(|| file.clone()));
    let reading = source.read();
    if reading.place.is_none() && is_named && !file.as_os_str().is_empty() {
        let missing = format!(
            "--registries-conf-path: there is no file {}",
            file.display()
        );
        return Err(TrialError::Description(missing));
    }
    let told = problems(&reading).join("; ");
    reading.outcome.map_err(|_| TrialError::Description(told))
}
