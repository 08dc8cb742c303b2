//! SerialNumber and TokenCode (id_credentials_mfa_configure-api-access).

use super::call::Call;
use super::entities::MfaDevice;
use super::refusal::Refusal;
use super::rules::Rule;
use super::totp;

/// Verifies the code that came with the call and uses it up. Answers when the user proved to have
/// the device: now, or `None` where no code came.
pub(super) fn verified(call: &mut Call<'_>) -> Result<Option<i64>, Refusal> {
    let serial = call.form("SerialNumber", 9..=256, serial_character, Rule::MfaPair)?;
    let code = call.form("TokenCode", 6..=6, |c| c.is_ascii_digit(), Rule::MfaPair)?;
    let (serial, code) = match (serial, code) {
        (Some(serial), Some(code)) => (serial, code),
        (None, None) => return Ok(None),
        _ if !call.enforces(Rule::MfaPair) => return Ok(None),
        _ => {
            return Err(Refusal::access_denied(
                "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
            ));
        }
    };
    let device = device(call, &serial).ok_or_else(|| {
        Refusal::access_denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
        )
    })?;
    let step = step_of(call, &device, &code).ok_or_else(invalid_code)?;
    if !call.state.used_codes.insert((serial, step)) && call.enforces(Rule::MfaReplay) {
        return Err(invalid_code());
    }
    Ok(Some(call.now))
}

fn invalid_code() -> Refusal {
    Refusal::access_denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
}

fn serial_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c)
}

/// The device, if it is the calling user's. Only users have devices: a role session that passes a
/// code is refused.
fn device(call: &Call<'_>, serial: &str) -> Option<MfaDevice> {
    let world = &call.state.world;
    let own = call.caller.who.user(world);
    let everyone = world
        .users
        .iter()
        .filter(|_| !call.enforces(Rule::MfaDeviceOwner));
    own.into_iter()
        .chain(everyone)
        .flat_map(|u| &u.mfa)
        .find(|d| d.serial == serial)
        .cloned()
}

/// The step that the code belongs to, within the window.
fn step_of(call: &Call<'_>, device: &MfaDevice, code: &str) -> Option<i64> {
    let seed = totp::base32(&device.seed)?;
    let now = totp::step_at(call.now);
    let reach = if call.enforces(Rule::MfaWindow) {
        1
    } else {
        10
    };
    let found = (now - reach..=now + reach).find(|step| totp::code(&seed, *step) == code);
    found.or_else(|| (!call.enforces(Rule::MfaCode)).then_some(now))
}
