//! The `laneway` program.

/// Each request of the service asks for a hundred pieces of memory, some of them large.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    laneway::cli::main()
}
