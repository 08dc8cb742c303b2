//! The form, the signature and the words of answers.
#![allow(clippy::unwrap_used)]

use super::*;

fn texts(body: &str, name: &str) -> Option<String> {
    element(body, name).map(|text| text.to_string())
}

#[test]
fn elements_of_an_answer() {
    let body =
        "<R><Arn>arn:aws:sts::1:x/a&amp;b&lt;&gt;&quot;&apos;&#65;&#x42;</Arn><Empty></Empty></R>";
    for (name, expected) in [
        ("Arn", Some("arn:aws:sts::1:x/a&b<>\"'AB")),
        ("Empty", Some("")),
        ("Missing", None),
    ] {
        assert_eq!(texts(body, name).as_deref(), expected, "{name}");
    }
    for broken in [
        "<A>",
        "<A>x</B>",
        "<A>&nbsp;</A>",
        "<A>&amp</A>",
        "<A>&#xD800;</A>",
        "<A>&#;</A>",
        "<A><B>x</B></A>",
        "",
    ] {
        assert_eq!(texts(broken, "A"), None, "{broken}");
    }
}

#[test]
fn values_of_a_form_are_encoded() {
    let form = [
        ("Action", "A".to_owned()),
        ("Policy", "{\"a b\":é+&=~}".to_owned()),
    ];
    assert_eq!(
        encoded_form(&form),
        "Action=A&Policy=%7B%22a%20b%22%3A%C3%A9%2B%26%3D~%7D"
    );
}

#[test]
fn the_signature_names_service_region_and_every_header() {
    let query = Query {
        url: "https://iam.amazonaws.com".to_owned(),
        service: "iam",
        region: "us-east-1",
        form: vec![
            ("Action", "ListUsers".to_owned()),
            ("Version", "2010-05-08".to_owned()),
        ],
    };
    let token = Some("TOKEN".to_owned());
    let signer = Credentials::new("AKIDEXAMPLE", "secret", token, None, "test");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
    let request = query.signed(&signer, now).unwrap();
    let header = |name: &str| request.headers().get(name).unwrap().to_owned();
    let text = header("authorization");
    let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=";
    assert!(text.starts_with(scope), "{text}");
    assert_eq!(header("x-amz-security-token"), "TOKEN");
    assert_eq!(header("x-amz-date"), "20150830T123600Z");
    assert_eq!(
        request.body().bytes(),
        Some(&b"Action=ListUsers&Version=2010-05-08"[..])
    );
    assert_eq!(header("content-length"), "35");
}
