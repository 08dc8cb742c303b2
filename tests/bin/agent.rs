//! The agent, as an executable that the tests own.

fn main() -> std::process::ExitCode {
    jumpgate_agent::main()
}
