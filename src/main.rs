fn main() -> std::process::ExitCode {
    perilune::host::cli::main()
}
