//! A value that must not be seen: redacted in `Debug`, wiped on drop, without `Display` and `Serialize`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret in memory. Reading it is always spelled `expose()`, so that a reviewer can search for it.
///
/// It has no `Serialize` on purpose: the two wire edges (the control API and the answer to an SDK) name
/// [`on_the_wire`] field by field.
#[derive(Clone, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> std::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl<T: Zeroize + PartialEq> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl From<&str> for Secret<String> {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// How much of its stack a thread wipes, bytes: a cipher, a parser and D-Bus go 20 kB deep.
const STACK: usize = 128 * 1024;

/// Does some work with secrets, then [wipes the stack](wipe_stack) that it used.
pub fn leaving_no_trace<T>(work: impl FnOnce() -> T) -> T {
    /// Apart, so that nothing of the work lies in this function's own frame.
    #[inline(never)]
    fn apart<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
    let done = apart(work);
    wipe_stack();
    done
}

/// Wipes 128 KiB of this thread's stack below its caller. Ciphers, parsers and hashes leave parts of secrets in buffers
/// there, which stay until something else goes as deep.
#[inline(never)]
pub fn wipe_stack() {
    let mut below = [0_u8; STACK];
    std::hint::black_box(&mut below);
}

/// `#[serde(serialize_with = "on_the_wire")]`: the one way for a secret to leave the process.
///
/// # Errors
/// Those of the serializer.
pub fn on_the_wire<T, S>(secret: &Secret<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Zeroize + Serialize,
    S: Serializer,
{
    secret.0.serialize(serializer)
}

/// [`on_the_wire`] for a field that may be absent.
///
/// # Errors
/// Those of the serializer.
pub fn optional_on_the_wire<T, S>(
    secret: &Option<Secret<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error>
where
    T: Zeroize + Serialize,
    S: Serializer,
{
    secret.as_ref().map(Secret::expose).serialize(serializer)
}
