//! The presets of session policies as JSON, for `jumpgate policy preset`. No running agent is needed.

use jumpgate_api::{PresetDetail, PresetList, PresetParameter};
use jumpgate_iam::Partition;

use crate::domain::preset::{Given, Parameter, Preset};

/// All of them, on one line.
#[must_use]
pub(crate) fn json() -> String {
    let presets = Preset::all().map(|preset| detail(&preset)).collect();
    let text = serde_json::to_string(&PresetList { presets });
    text.unwrap_or_default() + "\n"
}

fn detail(preset: &Preset) -> PresetDetail {
    let (arns, template) = preset.shown(Partition::Aws);
    let whole = preset.policies(Partition::Aws, &Given::new()).ok();
    let policy = whole.and_then(|policies| policies.inline);
    PresetDetail {
        name: preset.name.to_owned(),
        allows: preset.allows.clone(),
        policy_arns: arns.iter().map(ToString::to_string).collect(),
        policy_characters: policy
            .as_ref()
            .map(jumpgate_iam::PolicyDocument::characters),
        policy: template,
        parameters: preset.parameters.iter().map(parameter).collect(),
    }
}

fn parameter(parameter: &Parameter) -> PresetParameter {
    PresetParameter {
        name: parameter.name.clone(),
        about: parameter.about.clone(),
        expected: parameter.takes.expected(),
        default: parameter.default.clone(),
    }
}
