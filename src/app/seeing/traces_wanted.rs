//! Whether traces are wanted, as [OpenTelemetry's environment variables](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)
//! say.

use thiserror::Error;

/// Why traces cannot be sent as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TracesError {
    /// Another exporter is wanted.
    #[error(
        "OTEL_TRACES_EXPORTER is {0:?}, but traces are sent by otlp alone; set it to that, or to none"
    )]
    Exporter(String),
    /// Another protocol is wanted.
    #[error(
        "{variable} is {value:?}, but traces are sent by http/protobuf alone, usually to port 4318; set it to that"
    )]
    Protocol {
        /// Where that stands.
        variable: &'static str,
        /// What stands there.
        value: String,
    },
}

/// Whether traces are to be sent.
///
/// # Errors
/// [`TracesError`] where they are, in a way that we do not know.
pub fn wanted(variable: impl Fn(&str) -> Option<String>) -> Result<bool, TracesError> {
    const ENDPOINTS: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ];
    const PROTOCOLS: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ];
    // An empty variable is one that is not set.
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    let is_wanted = match set("OTEL_TRACES_EXPORTER") {
        Some(exporter) if exporter == "none" => false,
        Some(exporter) if exporter == "otlp" => true,
        Some(other) => return Err(TracesError::Exporter(other)),
        None => ENDPOINTS.iter().any(|name| set(name).is_some()),
    };
    let mut protocols = PROTOCOLS.iter();
    let protocol = protocols.find_map(|name| Some((*name, set(name)?)));
    match protocol.filter(|(_, value)| is_wanted && value != "http/protobuf") {
        Some((variable, value)) => Err(TracesError::Protocol { variable, value }),
        None => Ok(is_wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<bool, TracesError> {
        wanted(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_address_or_the_exporter_wants_them() {
        let address = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let own = (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://c:4318/v1/traces",
        );
        let exporter = |name| ("OTEL_TRACES_EXPORTER", name);
        for (variables, wanted) in [
            (&[][..], false),
            (&[address], true),
            (&[own], true),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], false),
            (&[exporter("otlp")], true),
            (&[address, exporter("none")], false),
            (&[address, ("OTEL_SDK_DISABLED", "True")], false),
            (
                &[address, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")],
                true,
            ),
        ] {
            assert_eq!(of(variables), Ok(wanted), "{variables:?}");
        }
    }

    #[test]
    fn another_way_is_refused() {
        let address = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
        let own = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
        let refused = of(&[address, (own, "grpc")]).unwrap_err().to_string();
        assert!(
            refused.contains(own) && refused.contains("4318"),
            "{refused}"
        );
        let refused = of(&[("OTEL_TRACES_EXPORTER", "zipkin")]).unwrap_err();
        assert_eq!(refused, TracesError::Exporter("zipkin".to_owned()));
        // The stronger one is right.
        let weaker = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        assert_eq!(of(&[address, (own, "http/protobuf"), weaker]), Ok(true));
        assert_eq!(of(&[weaker]), Ok(false));
    }
}
