//! Commands that only shape what others print.

use super::operand::{is_count, plain_operands};
use super::program::{AWK_VALUED, is_sed_in_place, is_sed_read};

/// Whether the command says nothing about what a script reads.
pub(super) fn is_formatting(words: &[String]) -> bool {
    let [program, arguments @ ..] = words else { return true };
    match program.as_str() {
        "wc" | "tr" | "cut" | "sort" | "uniq" | "tee" | "column" | "yes" | "printf" => true,
        "xargs" => !changes_files(arguments),
        "awk" => plain_operands(arguments, &AWK_VALUED).len() < 2,
        "head" | "tail" => lacks_file(program, arguments),
        "sed" => !is_sed_read(arguments) && !is_sed_in_place(arguments),
        _ => false,
    }
}

/// `head` and `tail` as filters: bare, with one flag, or with a count.
fn lacks_file(program: &str, arguments: &[String]) -> bool {
    match arguments {
        [] => true,
        [flag] => flag.starts_with('-'),
        [flag, count] if flag == "-n" || flag == "-c" => is_count(signless(program, count)),
        _ => false,
    }
}

/// `tail` counts from the start with a plus sign.
pub(super) fn signless<'a>(program: &str, count: &'a str) -> &'a str {
    if program == "tail" { count.strip_prefix('+').unwrap_or(count) } else { count }
}

/// Whether what `xargs` runs edits files in place.
fn changes_files(arguments: &[String]) -> bool {
    let mut rest = arguments;
    while let [flag, behind @ ..] = rest
        && flag.starts_with('-')
    {
        let valued = matches!(flag.as_str(), "-E" | "-e" | "-I" | "-L" | "-n" | "-P" | "-s");
        rest = if valued { behind.get(1..).unwrap_or_default() } else { behind };
        if flag == "--" {
            break;
        }
    }
    let [program, arguments @ ..] = rest else { return false };
    match program.as_str() {
        "sed" => is_sed_in_place(arguments),
        "perl" | "ruby" => {
            arguments.iter().any(|word| word.starts_with("-i") || word.starts_with("-pi"))
        }
        "rg" => arguments.iter().any(|word| word == "--replace"),
        _ => false,
    }
}
