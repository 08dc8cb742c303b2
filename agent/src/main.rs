//! The daemon; everything is in the library.

fn main() -> std::process::ExitCode {
    jumpgate_agent::main()
}
