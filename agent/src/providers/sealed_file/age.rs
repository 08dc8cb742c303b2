//! The age file format, version 1, sealed by a passphrase: the part of it that one small text needs.
//!
//! Source: the C2SP specification "The age file encryption format", <https://c2sp.org/age>. A file is
//!
//! ```text
//! age-encryption.org/v1
//! -> scrypt SALT WORK          salt of 16 bytes; scrypt's N is 2^WORK, r = 8, p = 1
//! BODY                         the file key of 16 bytes, sealed by what scrypt makes of the passphrase
//! --- MAC                      HMAC-SHA-256 of all above, its key made of the file key
//! PAYLOAD                      nonce of 16 bytes; chunks of 64 KiB, sealed by a key made of both
//! ```
//!
//! with unpadded canonical base64. A passphrase is always the only recipient (the specification forbids
//! others beside it), and a file of ours is smaller than one chunk, so there is exactly one. Whatever is
//! outside of this is malformed, not skipped.

#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use jumpgate_api::Secret;
use rustix::process::{Resource, getrlimit};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The largest file, in bytes: no larger than a chunk, so that a file has one.
pub(super) const MAX_FILE: usize = 64 * 1024;

/// The longest line of a header, in bytes. The longest legal one has 48.
const MAX_LINE: usize = 80;

const VERSION_LINE: &str = "age-encryption.org/v1";
const SCRYPT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
const FILE_KEY: usize = 16;
const SALT: usize = 16;
const PAYLOAD_NONCE: usize = 16;
const TAG: usize = 16;
const MAC: usize = 32;

/// The file key is sealed by a key that is used once, so its nonce is zero.
const BODY_NONCE: [u8; 12] = [0; 12];

/// Chunk 0 (eleven bytes), which is the last one (one byte).
const ONLY_CHUNK_NONCE: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// What else is needed while a passphrase is stretched, at most, in bytes.
const SPARE: u64 = 16 << 20;

/// How hard a passphrase is made to guess: scrypt's log₂ N. Memory is 2^(N+10) bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkFactor(u8);

impl WorkFactor {
    /// What we write, as `age -p` does: 256 MiB for half a second.
    pub(super) const WRITTEN: Self = Self(18);

    /// The most that is accepted: 1 GiB.
    const MAX: u8 = 20;

    /// Too little for anything but tests.
    #[cfg(any(test, feature = "fuzzed"))]
    pub(super) const TRIVIAL: Self = Self(2);

    /// scrypt's memory, in bytes.
    const fn memory(self) -> u64 {
        1 << (self.0 + 10)
    }

    /// Whether the limit on the process's addresses (RLIMIT_AS of setrlimit(2)) leaves that much: to ask for more would
    /// end the process.
    pub(super) fn fits(self) -> bool {
        let limit = getrlimit(Resource::As).current;
        limit.is_none_or(|limit| taken().saturating_add(self.memory() + SPARE) <= limit)
    }

    /// Decimal, without sign or leading zero.
    fn parse(text: &str) -> Result<Self, OpenError> {
        let legal = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        let work = text.parse().ok().filter(|_| legal);
        let work = work.ok_or(OpenError::Malformed("its work factor is no number"))?;
        if work > Self::MAX {
            return Err(OpenError::Malformed("its work factor is over 20"));
        }
        Ok(Self(work))
    }
}

/// How many bytes of addresses this process has (proc_pid_status(5)); 0 where that cannot be told.
fn taken() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let size = size.and_then(|size| size.trim().strip_suffix(" kB"));
    size.and_then(|size| size.parse().ok()).unwrap_or(0) * 1024
}

/// The randomness of one file.
pub(super) struct Draw {
    /// The key of the file.
    pub(super) file_key: Zeroizing<[u8; FILE_KEY]>,
    /// What makes equal passphrases differ.
    pub(super) salt: [u8; SALT],
    /// What makes the payload's key.
    pub(super) nonce: [u8; PAYLOAD_NONCE],
}

/// Why a file cannot be opened. Says nothing of its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenError {
    /// The passphrase does not open it, or the salt or the sealed file key is damaged: these look the same.
    WrongPassphrase,
    /// The limit on the process's memory leaves too little to stretch the passphrase.
    NoMemory,
    /// It is not a file of this format, or it was changed after it was sealed.
    Malformed(&'static str),
}

/// Seals a text of fewer than [`MAX_FILE`] bytes, header and tags included.
pub(super) fn seal(
    plaintext: &[u8],
    passphrase: &Secret<String>,
    work: WorkFactor,
    draw: &Draw,
) -> Vec<u8> {
    let wrap_key = wrap_key(passphrase, &draw.salt, work);
    let body = cipher(&wrap_key)
        .encrypt(&Nonce::from(BODY_NONCE), draw.file_key.as_slice())
        .expect("16 bytes are not too long");
    let mut file = format!(
        "{VERSION_LINE}\n-> scrypt {} {}\n{}\n---",
        BASE64.encode(draw.salt),
        work.0,
        BASE64.encode(body)
    )
    .into_bytes();
    let mac = header_mac(&draw.file_key, &file).finalize().into_bytes();
    file.extend_from_slice(format!(" {}\n", BASE64.encode(mac)).as_bytes());
    file.extend_from_slice(&draw.nonce);
    let payload = cipher(&payload_key(&draw.file_key, &draw.nonce))
        .encrypt(&Nonce::from(ONLY_CHUNK_NONCE), plaintext)
        .expect("one chunk is not too long");
    file.extend_from_slice(&payload);
    debug_assert!(file.len() <= MAX_FILE, "a second chunk would be needed");
    file
}

/// Opens a file.
///
/// # Errors
/// The wrong passphrase, and whatever is not a file that [`seal`] or another program of this format made.
pub(super) fn open(
    file: &[u8],
    passphrase: &Secret<String>,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let sealed = Sealed::parse(file)?;
    let file_key = sealed.file_key(passphrase)?;
    header_mac(&file_key, sealed.header)
        .verify_slice(&sealed.mac)
        .map_err(|_| OpenError::Malformed("its header was changed"))?;
    cipher(&payload_key(&file_key, &sealed.nonce))
        .decrypt(&Nonce::from(ONLY_CHUNK_NONCE), sealed.payload)
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Malformed("its contents were changed or cut"))
}

/// A file taken apart.
struct Sealed<'a> {
    salt: [u8; SALT],
    work: WorkFactor,
    body: [u8; FILE_KEY + TAG],
    /// All that the MAC covers: up to and with the three hyphens.
    header: &'a [u8],
    mac: [u8; MAC],
    nonce: [u8; PAYLOAD_NONCE],
    payload: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn parse(file: &'a [u8]) -> Result<Self, OpenError> {
        if file.len() > MAX_FILE {
            return Err(OpenError::Malformed("it is larger than 64 KiB"));
        }
        let mut rest = file;
        match take_line(&mut rest)? {
            VERSION_LINE => {}
            "-----BEGIN AGE ENCRYPTED FILE-----" => {
                return Err(OpenError::Malformed("it is armoured, not binary"));
            }
            _ => return Err(OpenError::Malformed("it is no age file of version 1")),
        }
        let (salt, work) = recipient(take_line(&mut rest)?)?;
        let body = decode(take_line(&mut rest)?, "its sealed key is damaged")?;
        let header_end = file.len() - rest.len() + "---".len();
        let mac = match take_line(&mut rest)?.strip_prefix("--- ") {
            Some(mac) => decode(mac, "its header's check value is damaged")?,
            None => {
                return Err(OpenError::Malformed("it has more than one recipient"));
            }
        };
        let (nonce, payload) = rest
            .split_first_chunk()
            .ok_or(OpenError::Malformed("it ends early"))?;
        Ok(Self {
            salt,
            work,
            body,
            header: &file[..header_end],
            mac,
            nonce: *nonce,
            payload,
        })
    }

    fn file_key(
        &self,
        passphrase: &Secret<String>,
    ) -> Result<Zeroizing<[u8; FILE_KEY]>, OpenError> {
        if !self.work.fits() {
            return Err(OpenError::NoMemory);
        }
        let opened = cipher(&wrap_key(passphrase, &self.salt, self.work))
            .decrypt(&Nonce::from(BODY_NONCE), self.body.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| OpenError::WrongPassphrase)?;
        let mut file_key = Zeroizing::new([0; FILE_KEY]);
        file_key.copy_from_slice(&opened);
        Ok(file_key)
    }
}

/// One line of a header, without its end.
fn take_line<'a>(rest: &mut &'a [u8]) -> Result<&'a str, OpenError> {
    let end = rest.iter().take(MAX_LINE + 1).position(|&b| b == b'\n');
    let end = end.ok_or(OpenError::Malformed(
        "its header ends early or is none of ours",
    ))?;
    let (line, after) = (&rest[..end], &rest[end + 1..]);
    *rest = after;
    std::str::from_utf8(line).map_err(|_| OpenError::Malformed("its header is not text"))
}

/// `-> scrypt SALT WORK`.
fn recipient(line: &str) -> Result<([u8; SALT], WorkFactor), OpenError> {
    let mut words = line.split(' ');
    if (words.next(), words.next()) != (Some("->"), Some("scrypt")) {
        return Err(OpenError::Malformed("it is not sealed by a passphrase"));
    }
    let (Some(salt), Some(work), None) = (words.next(), words.next(), words.next()) else {
        return Err(OpenError::Malformed("its recipient line is damaged"));
    };
    let salt = decode(salt, "its salt is damaged")?;
    Ok((salt, WorkFactor::parse(work)?))
}

/// Exactly `N` bytes, in canonical base64 without padding.
fn decode<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], OpenError> {
    let bytes = BASE64.decode(text).ok();
    let bytes = bytes.and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
    bytes.ok_or(OpenError::Malformed(what))
}

type Key = Zeroizing<[u8; 32]>;

fn cipher(key: &Key) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new_from_slice(key.as_slice()).expect("32 bytes are a key")
}

fn wrap_key(passphrase: &Secret<String>, salt: &[u8; SALT], work: WorkFactor) -> Key {
    let salt = [SCRYPT_LABEL, salt].concat();
    let parameters = scrypt::Params::new(work.0, 8, 1).expect("r, p and N up to 2^20 are legal");
    let mut key = Key::default();
    scrypt::scrypt(
        passphrase.expose().as_bytes(),
        &salt,
        &parameters,
        &mut *key,
    )
    .expect("32 bytes can be made");
    key
}

fn payload_key(file_key: &[u8; FILE_KEY], nonce: &[u8; PAYLOAD_NONCE]) -> Key {
    expand(file_key, nonce, b"payload")
}

fn header_mac(file_key: &[u8; FILE_KEY], header: &[u8]) -> Hmac<Sha256> {
    let key = expand(file_key, &[], b"header");
    Hmac::<Sha256>::new_from_slice(key.as_slice())
        .expect("any length is a key")
        .chain_update(header)
}

fn expand(file_key: &[u8; FILE_KEY], salt: &[u8], what_for: &[u8]) -> Key {
    let mut key = Key::default();
    Hkdf::<Sha256>::new(Some(salt), file_key)
        .expand(what_for, &mut *key)
        .expect("32 bytes can be made");
    key
}

#[cfg(test)]
mod tests;
