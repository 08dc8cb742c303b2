//! Writes the XML of the Query protocol and of S3.

use super::refusal::Refusal;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

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
pub(super) fn sts_response(action: &str, result: Xml, request_id: &str) -> String {
    let metadata = Xml::new().leaf("RequestId", request_id).0;
    format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{}</{action}Result>\
         <ResponseMetadata>{metadata}</ResponseMetadata></{action}Response>\n",
        result.0
    )
}

/// The envelope of a refused Query call.
pub(super) fn sts_error(refusal: &Refusal, request_id: &str) -> String {
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
        "<ErrorResponse xmlns=\"{NAMESPACE}\">{}</ErrorResponse>\n",
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
