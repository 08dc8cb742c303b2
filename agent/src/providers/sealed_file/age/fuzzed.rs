//! Sealed files. Law: any bytes are answered; what opens has the one legal form; what is sealed opens by its passphrase and by
//! no other; with one byte changed it does not open.
#![allow(clippy::unwrap_used)]

use zeroize::Zeroizing;

use super::{Draw, OpenError, Sealed, WorkFactor, open, seal};

/// The hardest passphrase that is tried: above it a try takes its second, as it should.
const EASY: u8 = 8;

/// Any bytes as a sealed file; and as the text of one.
pub(crate) fn target(data: &[u8]) {
    let passphrase = "open sesame".into();
    match Sealed::parse(data) {
        Ok(sealed) if sealed.work.0 > EASY => {}
        Ok(sealed) => {
            let (work, header) = (sealed.work, sealed.header);
            assert!(header.ends_with(b"---") && work.0 <= WorkFactor::MAX);
            let _most_do_not_open = open(data, &passphrase);
        }
        Err(error) => assert_eq!(open(data, &passphrase), Err(error)),
    }
    let (at, by, plain) = match data {
        [a, b, c, plain @ ..] => (usize::from(*a) << 8 | usize::from(*b), *c, plain),
        _ => (0, 1, data),
    };
    let plain = &plain[..plain.len().min(1_024)];
    let draw = Draw {
        file_key: Zeroizing::new([7; 16]),
        salt: [8; 16],
        nonce: [9; 16],
    };
    let mut file = seal(plain, &passphrase, WorkFactor::TRIVIAL, &draw);
    assert_eq!(open(&file, &passphrase).unwrap().as_slice(), plain);
    assert_eq!(
        open(&file, &"open sesam".into()),
        Err(OpenError::WrongPassphrase)
    );
    let at = at % file.len();
    file[at] ^= by.max(1);
    let changed = open(&file, &passphrase);
    assert!(changed.is_err(), "byte {at}");
}
