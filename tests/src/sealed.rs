//! An identity in a sealed file that costs nothing to open.
//!
//! What the agent seals takes half a second of scrypt to open, for each agent that is started. A test of many agents
//! lays down a file of the same format (docs/decisions/0001-sealed-file-format.md) that says of itself that its
//! passphrase was hardly stretched. Written from the format alone, with no line of the agent's.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::Lab;
use crate::lab::PASSPHRASE;

/// scrypt's log₂ N: the least that there is.
const WORK: u8 = 1;

/// The key of the file. Each file of a test has the same: its secrets are the test's.
const FILE_KEY: [u8; 16] = [7; 16];

/// The salt of the passphrase, and the nonce of the contents.
const SALT: [u8; 16] = [8; 16];

impl Lab {
    /// Lays alice's key down for the identity `jump`, as [`Lab::add_identity`] would have it done. No agent needs to run.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn seal_identity(&self) {
        let directory = self.path(".local/state/jumpgate/identities");
        let mut private = DirBuilder::new();
        let made = private.recursive(true).mode(0o700).create(&directory);
        made.expect("a state directory");
        let key = self.alices_key();
        let (id, secret) = key.trim_end().split_once('\n').expect("two lines");
        let text = json!({
            "version": 2,
            "access_key_id": id,
            "secret_access_key": secret,
            "since": "2026-01-01T00:00:00Z",
        });
        let sealed = seal(text.to_string().as_bytes(), PASSPHRASE);
        let mut private = OpenOptions::new();
        let file = private.write(true).create(true).mode(0o600);
        let file = file.open(directory.join("jump.age"));
        let written = file.and_then(|mut file| file.write_all(&sealed));
        written.expect("a writable file");
    }
}

fn seal(text: &[u8], passphrase: &str) -> Vec<u8> {
    let salted = [b"age-encryption.org/v1/scrypt".as_slice(), &SALT].concat();
    let work = scrypt::Params::new(WORK, 8, 1).expect("legal parameters");
    let mut wrap_key = [0; 32];
    scrypt::scrypt(passphrase.as_bytes(), &salted, &work, &mut wrap_key).expect("32 bytes");
    let header = format!(
        "age-encryption.org/v1\n-> scrypt {} {WORK}\n{}\n---",
        BASE64.encode(SALT),
        BASE64.encode(encrypted(&wrap_key, [0; 12], &FILE_KEY)),
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&expanded(&[], b"header")).expect("any length");
    mac.update(header.as_bytes());
    let mac = BASE64.encode(mac.finalize().into_bytes());
    let mut last_chunk = [0; 12];
    last_chunk[11] = 1;
    let contents = encrypted(&expanded(&SALT, b"payload"), last_chunk, text);
    [format!("{header} {mac}\n").as_bytes(), &SALT, &contents].concat()
}

fn encrypted(key: &[u8; 32], nonce: [u8; 12], text: &[u8]) -> Vec<u8> {
    let cipher = ChaCha20Poly1305::new_from_slice(key).expect("32 bytes are a key");
    cipher
        .encrypt(&Nonce::from(nonce), text)
        .expect("one chunk is not too long")
}

fn expanded(salt: &[u8], what_for: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), &FILE_KEY)
        .expand(what_for, &mut key)
        .expect("32 bytes can be made");
    key
}
