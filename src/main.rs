//! The `freezeout` command.

fn main() {}
