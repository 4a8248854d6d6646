use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::commands::{CertificateFile, SettingValue, TlsOptions, TlsSettings};
use crate::python::arguments::Integer;
use crate::python::certificates::certificate_file;

/// The certificates and the SSL context of one connection: `AT+CSSLCFG`.
///
/// Certificates are uploaded once, under a name made from their content. A Path is read here, not at `connect`.
///
/// verify: "server" (authmode 1), "mutual" (2, which needs `cert` and `key`), "none" (0).
/// ca, cert, key: bytes or a Path is uploaded; str is PEM text if it begins with -----BEGIN, else the name of
///     a file that is on the module already.
/// context: 0–9; None: the one numbered as the client.
/// sslversion: 0–4, as in `AT+CSSLCFG="sslversion"`; 4: the newest that both sides know.
/// sni: send the host name in the handshake; False leaves the setting of the module as it is.
/// ignore_local_time: do not check a certificate's dates against the module's clock.
/// settings: further names and values of `AT+CSSLCFG`, as {"alpn": "mqtt", "negotiatetime": 60}.
///
/// ValueError: a value beyond its range, or files that do not go with `verify`.
/// OSError: a Path cannot be read.
#[pyclass(frozen, module = "simcom_mqtt")]
pub(crate) struct Tls {
    settings: TlsSettings,
    shown: String,
}

impl Tls {
    pub(crate) fn settings(&self) -> &TlsSettings {
        &self.settings
    }
}

#[pymethods]
impl Tls {
    #[new]
    #[pyo3(
        signature = (*, verify = "server", ca = None, cert = None, key = None, context = None, sslversion = Integer(4), sni = true, ignore_local_time = true, settings = None),
        text_signature = "(*, verify='server', ca=None, cert=None, key=None, context=None, sslversion=4, sni=True, ignore_local_time=True, settings=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a constructor")]
    fn new(
        verify: &str,
        ca: Option<&Bound<'_, PyAny>>,
        cert: Option<&Bound<'_, PyAny>>,
        key: Option<&Bound<'_, PyAny>>,
        context: Option<Integer>,
        sslversion: Integer,
        sni: bool,
        ignore_local_time: bool,
        settings: Option<&Bound<'_, PyMapping>>,
    ) -> PyResult<Self> {
        let file = |argument, object: Option<&Bound<'_, PyAny>>| {
            object.map(|object| certificate_file(argument, object)).transpose()
        };
        let options = TlsOptions {
            verify,
            ca: file("ca", ca)?,
            cert: file("cert", cert)?,
            key: file("key", key)?,
            context: context.map(|context| context.0),
            sslversion: sslversion.0,
            sni,
            ignore_local_time,
            settings: settings.map(further_settings).transpose()?.unwrap_or_default(),
        };
        let shown = shown(&options);
        Ok(Self { settings: TlsSettings::parse(options)?, shown })
    }

    fn __repr__(&self) -> &str {
        &self.shown
    }
}

/// The items of `settings`, in their order.
fn further_settings(settings: &Bound<'_, PyMapping>) -> PyResult<Vec<(String, SettingValue)>> {
    settings.items()?.iter().map(|item| item.extract()).collect()
}

fn quoted(text: String) -> String {
    text.replace('"', "'")
}

/// The representation: names and lengths only, since content may be a key.
fn shown(options: &TlsOptions<'_>) -> String {
    let file = |file: &Option<CertificateFile>| match file {
        None => "None".to_owned(),
        Some(file) => match file.body() {
            None => quoted(format!("{:?}", file.name().as_str())),
            Some(body) => format!("<{} bytes>", body.bytes().len()),
        },
    };
    let settings: Vec<_> = options
        .settings
        .iter()
        .map(|(name, value)| format!("'{name}': {}", quoted(value.to_string())))
        .collect();
    let settings =
        if settings.is_empty() { String::new() } else { format!(", settings={{{}}}", settings.join(", ")) };
    let python_bool = |flag| if flag { "True" } else { "False" };
    format!(
        "Tls(verify='{}', ca={}, cert={}, key={}, context={}, sslversion={}, sni={}, ignore_local_time={}{})",
        options.verify,
        file(&options.ca),
        file(&options.cert),
        file(&options.key),
        options.context.map_or_else(|| "None".to_owned(), |context| context.to_string()),
        options.sslversion,
        python_bool(options.sni),
        python_bool(options.ignore_local_time),
        settings,
    )
}
