//! libFuzzer before one target; what it tries is in `agent/src/fuzzed.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jumpgate_agent::fuzzed::import(data));
