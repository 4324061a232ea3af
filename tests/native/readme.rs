//! The README's code is the code that is built.

#[test]
fn the_rust_worker_of_the_readme_is_the_example() {
    let readme = include_str!("../../README.md");
    let example = include_str!("../../examples/rust-worker/src/lib.rs");
    let (_, code) = example.split_once("\n\n").unwrap();
    assert!(readme.contains(code));
}
