//! Whether a command seems to have failed because of its sandbox, which nothing but its output tells.

const SIGNS: [&str; 7] = [
    "operation not permitted",
    "permission denied",
    "read-only file system",
    "seccomp",
    "sandbox",
    "landlock",
    "failed to write file",
];

pub(crate) fn looks_denied(exit_code: i32, output: &str) -> bool {
    if exit_code == 0 {
        return false;
    }
    let output = output.to_lowercase();
    SIGNS.iter().any(|sign| output.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_with_a_sign_look_denied() {
        for (exit_code, output, denied) in [
            (1, "touch: cannot touch '/x': Read-only file system", true),
            (126, "bash: ./x: Permission denied\n", true),
            (0, "Permission denied, but who cares", false),
            (1, "no such file", false),
            (1, "", false),
        ] {
            assert_eq!(looks_denied(exit_code, output), denied, "{output}");
        }
    }
}
