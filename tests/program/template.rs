//! `template`: the built-in one, and one of a file.

use std::fs;
use std::process::Output;

use crate::server::run;

fn shown(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn the_built_in_template_is_shown_with_examples() {
    let (code, message, errors) = shown(&run(&["template"]));
    let expected = format!(
        "build: automatic update of example-app\n\n\
         updates image example/example tag '1.0.0' to '1.0.1'\n\
         updates image example/updater tag 'sha256:{}' to 'sha256:{}'\n",
        "5".repeat(64),
        "c".repeat(64)
    );
    assert_eq!((code, message, errors), (Some(0), expected, String::new()));
}

#[test]
fn a_file_is_filled_in_or_its_mistake_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("commit.template");
    let path = file.to_str().unwrap();
    fs::write(&file, "{{ .AppName }}: {{ len .AppChanges }}").unwrap();
    let filled = shown(&run(&["template", path]));
    assert_eq!(
        filled,
        (Some(0), "example-app: 2\n".to_owned(), String::new())
    );
    for (text, told) in [
        ("{{ .AppName", "no Go template"),
        ("{{ .Other }}", "cannot be filled in"),
    ] {
        fs::write(&file, text).unwrap();
        let (code, message, errors) = shown(&run(&["template", path]));
        assert_eq!((code, message.as_str()), (Some(1), ""));
        assert!(errors.contains(told) && errors.contains(path), "{errors}");
    }
    fs::remove_file(&file).unwrap();
    let (code, _, errors) = shown(&run(&["template", path]));
    assert!(
        code == Some(1) && errors.contains("failed to read"),
        "{errors}"
    );
}
