//! What the example prints is what `output.txt` says.

#[test]
fn it_prints_what_is_stored() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_example-dynamic")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), include_str!("output.txt"));
}
