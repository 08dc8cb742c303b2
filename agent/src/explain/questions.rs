//! Which actions are asked about.

use jumpgate_iam::evaluate::{Context, Request};

use super::arguments::{Arguments, usage};
use super::{ExplainError, layers};

/// Most actions of one run.
pub(super) const MAX_QUESTIONS: usize = 10_000;

/// The requests, each with its action as it was written.
pub(super) fn requests(
    arguments: &Arguments,
    context: &Context,
) -> Result<Vec<(String, Request)>, ExplainError> {
    let resource = arguments.resource.as_deref().unwrap_or("*");
    let made = |action: &str, resource: &str| {
        let request = Request::new(action, resource, context.clone())?;
        Ok::<_, ExplainError>((action.to_owned(), request))
    };
    let list = match (&arguments.action, &arguments.matrix) {
        (Some(action), _) => return Ok(vec![made(action, resource)?]),
        (None, Some(list)) if is_list(list) => list.replace(',', "\n"),
        (None, Some(file)) => layers::text_of(file)?,
        (None, None) => return Err(usage("no action is named")),
    };
    let lines: Vec<&str> = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() || lines.len() > MAX_QUESTIONS {
        let found = lines.len();
        return Err(usage(&format!(
            "1 to {MAX_QUESTIONS} actions are expected, there are {found}"
        )));
    }
    let of_line = |line: &str| match line.split_once(char::is_whitespace) {
        Some((action, resource)) => made(action, resource.trim()),
        None => made(line, resource),
    };
    lines.into_iter().map(of_line).collect()
}

/// Actions have a colon each; a path with one in every part has a slash.
fn is_list(text: &str) -> bool {
    !text.contains('/') && text.split(',').all(|part| part.contains(':'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(matrix: &str, resource: Option<&str>) -> Result<Vec<String>, String> {
        let arguments = Arguments {
            matrix: Some(matrix.to_owned()),
            resource: resource.map(str::to_owned),
            ..Arguments::default()
        };
        let found = requests(&arguments, &Context::partial()).map_err(|error| error.to_string())?;
        let shown = found
            .iter()
            .map(|(action, request)| format!("{action} {}", request.resource()));
        Ok(shown.collect())
    }

    #[test]
    fn a_matrix_is_a_list_or_a_file() {
        let bucket = "arn:aws:s3:::b";
        assert_eq!(
            asked("s3:GetObject,ec2:RunInstances", None).unwrap(),
            ["s3:GetObject *", "ec2:RunInstances *"]
        );
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("actions");
        std::fs::write(
            &file,
            "# of the bucket\ns3:GetObject arn:aws:s3:::c/k\n\ns3:ListBucket # its own\n",
        )
        .unwrap();
        let name = file.to_str().unwrap();
        assert_eq!(
            asked(name, Some(bucket)).unwrap(),
            [
                "s3:GetObject arn:aws:s3:::c/k",
                "s3:ListBucket arn:aws:s3:::b"
            ]
        );
        std::fs::write(&file, "s3:A\n".repeat(MAX_QUESTIONS)).unwrap();
        assert_eq!(asked(name, None).unwrap().len(), MAX_QUESTIONS);
        std::fs::write(&file, "s3:A\n".repeat(MAX_QUESTIONS + 1)).unwrap();
        assert!(
            asked(name, None)
                .unwrap_err()
                .contains("1 to 10000 actions")
        );
        std::fs::write(&file, "# none\n").unwrap();
        assert!(asked(name, None).unwrap_err().contains("there are 0"));
        assert!(
            asked("s3:Get*", None)
                .unwrap_err()
                .contains("without wildcards")
        );
    }
}
