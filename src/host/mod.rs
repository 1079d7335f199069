//! The host: virtual machine, sandbox, scripts and their parameters, help, prompt.
