//! The checksums that S3 clients send with an object (checking-object-integrity): CRC-32, CRC-32C,
//! CRC-64/NVME, SHA-1, SHA-256; as a header, or as a trailer behind an aws-chunked body.

use super::bytes::sha256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// Whether `x-amz-checksum-NAME: value` belongs to the body; `None` for an unknown name.
pub(super) fn holds(name: &str, value: &str, body: &[u8]) -> Option<bool> {
    let sum = match name {
        "crc32" => crc(body, 0xEDB8_8320, 32).to_be_bytes()[4..].to_vec(),
        "crc32c" => crc(body, 0x82F6_3B78, 32).to_be_bytes()[4..].to_vec(),
        "crc64nvme" => crc(body, 0x9A6C_9329_AC4B_C9B5, 64).to_be_bytes().to_vec(),
        "sha1" => Sha1::digest(body).to_vec(),
        "sha256" => sha256(body).to_vec(),
        _ => return None,
    };
    Some(STANDARD.encode(sum) == value)
}

/// A reflected CRC of 32 or 64 bits, all ones before and after.
pub(super) fn crc(body: &[u8], polynomial: u64, bits: u32) -> u64 {
    let ones = u64::MAX >> (64 - bits);
    let sum = body.iter().fold(ones, |sum, byte| {
        (0..8).fold(sum ^ u64::from(*byte), |s, _| {
            if s & 1 == 1 {
                (s >> 1) ^ polynomial
            } else {
                s >> 1
            }
        })
    });
    sum ^ ones
}
