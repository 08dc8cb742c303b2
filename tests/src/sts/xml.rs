//! Writes the XML of the Query protocol and of S3.

use super::refusal::Refusal;

const fn namespace(service: &str) -> &'static str {
    match service.as_bytes() {
        b"iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        _ => "https://sts.amazonaws.com/doc/2011-06-15/",
    }
}

/// An XML text under construction.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    pub(super) fn new() -> Xml {
        Xml::default()
    }

    /// `<name>text</name>`, escaped.
    pub(super) fn leaf(mut self, name: &str, text: impl AsRef<str>) -> Xml {
        self.0
            .push_str(&format!("<{name}>{}</{name}>", escaped(text.as_ref())));
        self
    }

    /// `<name>inner</name>`.
    pub(super) fn node(mut self, name: &str, inner: Xml) -> Xml {
        self.0.push_str(&format!("<{name}>{}</{name}>", inner.0));
        self
    }

    pub(super) fn leaf_if(self, name: &str, text: Option<impl AsRef<str>>) -> Xml {
        match text {
            Some(text) => self.leaf(name, text),
            None => self,
        }
    }
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\r', "&#13;")
}

/// The envelope of a successful Query call.
pub(super) fn query_response(service: &str, action: &str, result: Xml, request_id: &str) -> String {
    let metadata = Xml::new().leaf("RequestId", request_id).0;
    // API_UpdateAccessKey and others: a call without elements of its own has no result either.
    let result = match result.0.is_empty() {
        true => String::new(),
        false => format!("<{action}Result>{}</{action}Result>", result.0),
    };
    let namespace = namespace(service);
    format!(
        "<{action}Response xmlns=\"{namespace}\">{result}\
         <ResponseMetadata>{metadata}</ResponseMetadata></{action}Response>\n",
    )
}

/// The envelope of a refused Query call.
pub(super) fn query_error(service: &str, refusal: &Refusal, request_id: &str) -> String {
    let side = if refusal.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let error = Xml::new()
        .leaf("Type", side)
        .leaf("Code", &refusal.code)
        .leaf("Message", &refusal.message);
    let whole = Xml::new()
        .node("Error", error)
        .leaf("RequestId", request_id);
    format!(
        "<ErrorResponse xmlns=\"{}\">{}</ErrorResponse>\n",
        namespace(service),
        whole.0
    )
}

/// The envelope of a refused S3 call.
pub(super) fn s3_error(refusal: &Refusal, resource: &str, request_id: &str) -> String {
    let error = Xml::new()
        .leaf("Code", &refusal.code)
        .leaf("Message", &refusal.message)
        .leaf("Resource", resource)
        .leaf("RequestId", request_id);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{}</Error>",
        error.0
    )
}

/// An S3 document with its namespace.
pub(super) fn s3_document(name: &str, inner: Xml) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</{name}>",
        inner.0
    )
}
