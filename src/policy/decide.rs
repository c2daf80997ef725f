//! Whether a command or an edit runs, is asked about, or is refused: the table of approval policies as pure functions.
//!
//! Nothing here asks, runs or remembers; grants of the session are looked up by the caller before it asks.

use std::fmt::Display;
use std::path::PathBuf;

use super::amendment;
use super::removal::is_forced_removal;
use super::rules::{Match, Rules, Verdict};
use super::shell::{display, plain_commands, script_of};
use super::writable;
use crate::protocol::{AskForApproval, SandboxPolicy};

const REFUSED_PATCH: &str = "rejected by user approval settings";

/// The sandbox that a policy calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SandboxKind {
    ReadOnly,
    WorkspaceWrite,
    /// Somebody else confines the whole server.
    External,
    FullAccess,
}

impl SandboxKind {
    /// Whether commands are kept from writing where they like.
    pub(crate) fn restricts(self) -> bool {
        match self {
            Self::ReadOnly | Self::WorkspaceWrite => true,
            Self::External | Self::FullAccess => false,
        }
    }
}

impl From<&SandboxPolicy> for SandboxKind {
    fn from(policy: &SandboxPolicy) -> Self {
        match policy {
            SandboxPolicy::DangerFullAccess => Self::FullAccess,
            SandboxPolicy::ReadOnly { .. } => Self::ReadOnly,
            SandboxPolicy::ExternalSandbox { .. } => Self::External,
            SandboxPolicy::WorkspaceWrite { .. } => Self::WorkspaceWrite,
        }
    }
}

/// What the model wants beyond the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    Default,
    /// To run outside.
    Escalated,
    /// To run in a wider sandbox.
    Widened,
}

/// Where a command may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the sandbox that the policy calls for, which may be none.
    Inside,
    /// Without a sandbox.
    Outside,
}

pub(crate) struct CommandQuestion<'a> {
    /// What would be executed, the shell included.
    pub(crate) argv: &'a [String],
    pub(crate) policy: &'a AskForApproval,
    pub(crate) sandbox: SandboxKind,
    /// Why this machine cannot enforce the sandbox, if it cannot.
    pub(crate) missing: Option<&'a dyn Display>,
    pub(crate) request: Request,
    /// The model's reason for what it requests.
    pub(crate) justification: Option<&'a str>,
    /// The prefix that the model suggests to allow for good; may be empty.
    pub(crate) suggested_prefix: &'a [String],
    pub(crate) rules: &'a Rules,
}

pub(crate) struct PatchQuestion<'a> {
    pub(crate) policy: &'a AskForApproval,
    pub(crate) sandbox: SandboxKind,
    pub(crate) writable_roots: &'a [PathBuf],
    /// Every file that would be written or removed, both ends of a move included; absolute.
    pub(crate) paths: &'a [PathBuf],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// No question.
    Run(Place),
    Ask {
        reason: Option<String>,
        /// The prefix that may be allowed for good with the answer.
        amendment: Option<Vec<String>>,
        /// Where it runs once accepted.
        place: Place,
    },
    /// Without asking; `told` is for the model.
    Refuse { told: String },
}

impl Decision {
    fn refuse(told: impl Into<String>) -> Self {
        Self::Refuse { told: told.into() }
    }
}

/// Decides about a command.
pub(crate) fn command(question: &CommandQuestion<'_>) -> Decision {
    if let Some(refusal) = refused_request(question) {
        return refusal;
    }
    let commands = commands(question.argv);
    let findings: Vec<Finding<'_>> =
        commands.iter().map(|words| Finding::of(words, question)).collect();
    let strictest = findings.iter().map(Finding::verdict).max().unwrap_or(Verdict::Prompt);
    match strictest {
        Verdict::Forbidden => forbidden(question, &findings),
        Verdict::Prompt => prompt(question, &commands, &findings),
        Verdict::Allow if findings.iter().all(Finding::by_rule) => Decision::Run(Place::Outside),
        Verdict::Allow => unasked(question, &commands),
    }
}

/// Decides about an edit.
pub(crate) fn patch(question: &PatchQuestion<'_>) -> Decision {
    let ask = Decision::Ask { reason: None, amendment: None, place: Place::Inside };
    if !question.sandbox.restricts() {
        return if *question.policy == AskForApproval::Untrusted {
            ask
        } else {
            Decision::Run(Place::Inside)
        };
    }
    let within = question.sandbox == SandboxKind::WorkspaceWrite
        && question.paths.iter().all(|path| writable::is_writable(path, question.writable_roots));
    if within {
        return if *question.policy == AskForApproval::Untrusted {
            ask
        } else {
            Decision::Run(Place::Inside)
        };
    }
    if may_ask(question.policy) {
        return Decision::Ask { reason: None, amendment: None, place: Place::Outside };
    }
    let why = if question.sandbox == SandboxKind::ReadOnly {
        "writing is blocked by read-only sandbox"
    } else {
        "writing outside of the project"
    };
    Decision::refuse(format!("patch rejected: {why}; {REFUSED_PATCH}"))
}

/// The commands to judge: those of a plain script, else the whole as one.
fn commands(argv: &[String]) -> Vec<Vec<String>> {
    script_of(argv).and_then(plain_commands).unwrap_or_else(|| vec![argv.to_vec()])
}

/// Whether the policy lets a user be asked about leaving the sandbox.
fn may_ask(policy: &AskForApproval) -> bool {
    match policy {
        AskForApproval::Untrusted | AskForApproval::OnRequest => true,
        AskForApproval::Granular { sandbox_approval, .. } => *sandbox_approval,
        AskForApproval::Never => false,
    }
}

/// Requests beyond the sandbox that this policy cannot bring before the user, whatever the rules say.
fn refused_request(question: &CommandQuestion<'_>) -> Option<Decision> {
    let told = match question.request {
        Request::Escalated if question.sandbox.restricts() && !may_ask(question.policy) => {
            "the approval policy does not let you ask for running outside the sandbox; run it inside, or do without it"
        }
        Request::Widened if *question.policy != AskForApproval::OnRequest => {
            "additional permissions can only be asked for under the on-request approval policy"
        }
        Request::Default | Request::Escalated | Request::Widened => return None,
    };
    Some(Decision::refuse(told))
}

/// What stands for or against one of the commands.
enum Finding<'a> {
    Rules(Vec<Match<'a>>),
    ForcedRemoval(Verdict),
    /// Nothing special: the policy's own answer.
    Policy(Verdict),
}

impl<'a> Finding<'a> {
    fn of(words: &[String], question: &CommandQuestion<'a>) -> Self {
        let matches = question.rules.matches(words);
        if !matches.is_empty() {
            return Self::Rules(matches);
        }
        let never = *question.policy == AskForApproval::Never;
        if is_forced_removal(words) {
            return Self::ForcedRemoval(if never { Verdict::Forbidden } else { Verdict::Prompt });
        }
        let asks = match question.policy {
            AskForApproval::Untrusted => true,
            AskForApproval::Never => false,
            AskForApproval::OnRequest | AskForApproval::Granular { .. } => match question.request {
                Request::Default => false,
                Request::Escalated => question.sandbox.restricts(),
                Request::Widened => true,
            },
        };
        Self::Policy(if asks { Verdict::Prompt } else { Verdict::Allow })
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Rules(matches) => {
                matches.iter().map(|found| found.verdict).max().unwrap_or(Verdict::Prompt)
            }
            Self::ForcedRemoval(verdict) | Self::Policy(verdict) => *verdict,
        }
    }

    fn by_rule(&self) -> bool {
        matches!(self, Self::Rules(_))
    }
}

/// The most specific rule with this verdict; the last one of equals.
fn deciding<'f>(findings: &'f [Finding<'_>], verdict: Verdict) -> Option<&'f Match<'f>> {
    findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::Rules(matches) => Some(matches),
            Finding::ForcedRemoval(_) | Finding::Policy(_) => None,
        })
        .flatten()
        .filter(|found| found.verdict == verdict)
        .max_by_key(|found| found.words.len())
}

fn forbidden(question: &CommandQuestion<'_>, findings: &[Finding<'_>]) -> Decision {
    let shown = display(question.argv);
    let why = match deciding(findings, Verdict::Forbidden) {
        Some(Match { justification: Some(why), .. }) => (*why).to_owned(),
        Some(found) => format!("policy forbids commands starting with `{}`", display(&found.words)),
        None => {
            "rm -f style commands are not permitted; remove what you must by name, without forcing"
                .to_owned()
        }
    };
    Decision::refuse(format!("`{shown}` rejected: {why}"))
}

fn prompt(
    question: &CommandQuestion<'_>,
    commands: &[Vec<String>],
    findings: &[Finding<'_>],
) -> Decision {
    let rule = deciding(findings, Verdict::Prompt);
    // Under this policy everything is asked about, and what was accepted must not fail for want of a second question.
    let accepted_whole = *question.policy == AskForApproval::Untrusted;
    let place = match question.request {
        Request::Escalated => Place::Outside,
        Request::Default | Request::Widened if accepted_whole => Place::Outside,
        Request::Default | Request::Widened => Place::Inside,
    };
    let unprotected = lacks_sandbox(question, place);
    if let Some(missing) = unprotected
        && !may_ask(question.policy)
    {
        return refuse_unprotected(missing);
    }
    let mut reason = question.justification.map(str::to_owned);
    if let Some(rule) = rule {
        match question.policy {
            AskForApproval::Never => {
                return Decision::refuse(
                    "approval required by policy, but AskForApproval is set to Never",
                );
            }
            AskForApproval::Granular { rules: false, .. } => {
                return Decision::refuse(
                    "approval required by policy rule, but AskForApproval::Granular.rules is false",
                );
            }
            AskForApproval::Untrusted
            | AskForApproval::OnRequest
            | AskForApproval::Granular { .. } => {}
        }
        let shown = display(question.argv);
        reason = Some(match rule.justification {
            Some(why) => format!("`{shown}` requires approval: {why}"),
            None => format!("`{shown}` requires approval by policy"),
        });
    }
    let forced = findings.iter().any(|finding| matches!(finding, Finding::ForcedRemoval(_)));
    let offered = rule.is_none()
        && question.request != Request::Widened
        && (!forced || may_ask(question.policy));
    let first_asked =
        commands.iter().zip(findings).find(|(_, finding)| finding.verdict() == Verdict::Prompt);
    let amendment = match first_asked {
        Some((words, _)) if offered => {
            amendment::propose(question.suggested_prefix, commands, words, question.rules)
        }
        _ => None,
    };
    let place = if unprotected.is_some() { Place::Outside } else { place };
    Decision::Ask { reason, amendment, place }
}

/// A command that the policy lets run without a question, if its sandbox is there.
fn unasked(question: &CommandQuestion<'_>, commands: &[Vec<String>]) -> Decision {
    let Some(missing) = lacks_sandbox(question, Place::Inside) else {
        return Decision::Run(Place::Inside);
    };
    if !may_ask(question.policy) {
        return refuse_unprotected(missing);
    }
    let unsettled = commands.iter().find(|words| question.rules.matches(words).is_empty());
    let amendment = unsettled.and_then(|words| {
        amendment::propose(question.suggested_prefix, commands, words, question.rules)
    });
    Decision::Ask {
        reason: Some(warn(question.justification, missing)),
        amendment,
        place: Place::Outside,
    }
}

/// Why a command would have to do without the sandbox that it should run in, if it would.
fn lacks_sandbox<'a>(question: &CommandQuestion<'a>, place: Place) -> Option<&'a dyn Display> {
    question.missing.filter(|_| place == Place::Inside && question.sandbox.restricts())
}

fn refuse_unprotected(missing: &dyn Display) -> Decision {
    Decision::refuse(format!(
        "the command cannot be confined: {missing}; the approval policy does not allow asking to run it with full \
         access"
    ))
}

/// The reason of a question, with the warning that accepting means full access.
fn warn(reason: Option<&str>, missing: &dyn Display) -> String {
    let warning = format!("it would run with full access to the machine, since {missing}");
    match reason {
        Some(reason) => format!("{reason} ({warning})"),
        None => warning,
    }
}

#[cfg(test)]
mod tests;
