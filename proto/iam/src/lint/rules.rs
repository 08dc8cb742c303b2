//! The table of rules: what each is called, how bad a finding is, why it matters and what helps.
//!
//! docs/lint.md shows the same table; a test keeps the two in step.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Legal, and probably not what was meant.
    Warning,
    /// Broken, or open to whom it should not be.
    Error,
}

impl Severity {
    /// In lower case, as SARIF calls its levels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is said of a rule in general.
struct Entry {
    id: &'static str,
    severity: Severity,
    title: &'static str,
    why: &'static str,
    fix: &'static str,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $severity:ident, $id:literal, $title:literal, $why:literal, $fix:literal;)*) => {
        /// A rule, by its stable id.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// All rules, in the order of their ids within a family.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        id: $id,
                        severity: Severity::$severity,
                        title: $title,
                        why: $why,
                        fix: $fix,
                    },)*
                }
            }
        }
    };
}

rules! {
    /// The text is no JSON.
    NotJson: Error, "JSON000", "Not JSON",
        "IAM and STS refuse a policy that is no JSON.",
        "Correct the text at the place named.";
    /// A key occurs twice in one object.
    DuplicateKey: Error, "JSON001", "Duplicate key",
        "JSON leaves open what a repeated key means: most readers keep the last one and lose the others without a word, \
         so the policy says something else than it seems to.",
        "Keep one of the two. If both were meant, write one key with a list of values; note that such a list allows or \
         denies more than either key alone.";
    /// Condition operators or keys that differ in case only.
    CaseTwins: Error, "JSON002", "Keys that differ in case only",
        "IAM ignores the case of condition operators and keys, so the two are one key twice. Which of them counts is \
         nowhere said.",
        "Keep one of the two, with a list of values if both were meant.";
    /// The text is JSON but no policy of its kind.
    NotPolicy: Error, "POL000", "Not a policy of its kind",
        "IAM and STS refuse a document that breaks the grammar of policies.",
        "Correct the element named; --kind says what the document is meant for, if the guess is wrong.";
    /// An Allow of which explicit denies leave nothing.
    Shadowed: Warning, "POL001", "Allow that a Deny takes back whole",
        "An explicit Deny wins over every Allow, so this statement has no effect. Either it is left over, or the Deny \
         covers more than it was meant to.",
        "Take the statement out, or narrow the Deny.";
    /// A write in a policy of the class read-only.
    WriteAction: Error, "POL002", "Write action in a read-only policy",
        "Who reads that the policy is read-only trusts it to change nothing.",
        "Name the actions that read; wildcards only behind a verb that reads, such as Get, List or Describe.";
    /// ForAllValues that holds when the key is absent.
    VacuousForAll: Warning, "POL003", "ForAllValues that an absent key satisfies",
        "ForAllValues holds when the request does not have the key at all, so this Allow applies to such requests too.",
        "Add \"Null\": {\"KEY\": \"false\"} to the condition, so that the key must be there.";
    /// A wildcard where it is a plain character.
    InertWildcard: Warning, "POL004", "Wildcard that is compared as a plain character",
        "Only the Like operators and those of ARNs expand * and ?. StringEquals and its kin compare them as they are, \
         so the condition does not match what it seems to.",
        "Use StringLike or StringNotLike, or write the value out.";
    /// Longer than a session policy may be by the documentation.
    TooLong: Warning, "POL005", "Over the documented size of a session policy",
        "The documentation of AssumeRole allows 2,048 characters of inline policy, 10 managed policies and 50 tags; \
         beyond that AWS may refuse the session.",
        "Join statements that differ in one element only, use wildcards, or name a managed policy in policy_arns.";
    /// Reading of data in a policy of the class view.
    DataRead: Error, "POL006", "Data-read action in a view-only policy",
        "View-only is for what there is and how it is set up, not for what is in it: objects, rows, messages, secrets, \
         code and logs.",
        "Take the action out, or deny it.";
    /// Not of the current version.
    OldVersion: Warning, "POL007", "Version is not 2012-10-17",
        "Without \"Version\": \"2012-10-17\" IAM reads the policy by the rules of 2008, in which variables such as \
         ${aws:username} are plain text.",
        "Add \"Version\": \"2012-10-17\".";
    /// AssumeRole on everything.
    AssumeAny: Error, "JUMP001", "AssumeRole on every role",
        "Whoever has this may try every role in every account; only the trust policies of others stand between.",
        "Name the ARNs of the roles; with --identity NAME those of its profiles are listed.";
    /// Tags or a source identity that may not be set.
    SessionTagging: Error, "JUMP002", "Tags or source identity without the permission to set them",
        "A call to AssumeRole that passes tags needs sts:TagSession, one that passes a source identity needs \
         sts:SetSourceIdentity, from both the caller's policy and the trust policy. Without it the whole call is \
         refused.",
        "Allow the missing action on the same roles, beside sts:AssumeRole.";
    /// A configured role that may not be assumed.
    RoleNotGranted: Error, "JUMP003", "Role of a profile that may not be assumed",
        "A profile of the configuration has this role, and the policy does not allow its identity to assume it.",
        "Allow sts:AssumeRole on the role's ARN.";
    /// More than the configuration needs.
    Surplus: Warning, "JUMP004", "Role that no profile has",
        "No profile of this identity has such a role, and a stolen key could use it.",
        "Take it out, or name the roles that are needed.";
    /// A trust policy that is open to strangers.
    OpenTrust: Error, "TRUST001", "Trust in everyone, or in a whole account without a condition",
        "With * every principal of every account may assume the role. With an account's root, everyone there may whom \
         that account allows; only a condition limits who and how.",
        "Name the principals, or require an organisation, an external id or MFA in the condition.";
    /// OpenID Connect without a limit on who.
    OpenFederation: Error, "TRUST002", "OpenID Connect without audience or subject",
        "Without a condition on the audience and on the subject (or a tag) the role is open to every token of that \
         issuer, those for other customers and purposes too.",
        "Add StringEquals conditions on ISSUER:aud and on ISSUER:sub, or on aws:RequestTag/KEY.";
    /// Two spellings of one tag key.
    TagSpelling: Error, "TRUST003", "Tag key in two spellings",
        "The keys in sts:TransitiveTagKeys and aws:TagKeys are compared with their case. A request cannot satisfy both \
         spellings, or satisfies one of them without the other being checked.",
        "Spell the key the same everywhere.";
    /// MFA where there can be none.
    ImpossibleMfa: Error, "TRUST004", "MFA condition that no caller can satisfy",
        "Only an IAM user's call carries MFA. Sessions of roles, web identities and SAML have no such key: a plain \
         condition is never true for them, and one with IfExists is always true.",
        "Ask for MFA where the first role is assumed, or by the identity provider.";
    /// A source identity, which the console cannot send.
    ConsoleSourceIdentity: Note, "TRUST005", "Source identity, which the console's Switch Role cannot send",
        "The role cannot be taken with Switch Role in the AWS console, since that passes neither source identity, tags \
         nor a session policy.",
        "Use a federated sign-in for the console.";
}

impl Rule {
    /// The stable id, such as `JSON001`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.entry().id
    }

    /// How bad a finding is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.entry().severity
    }

    /// In a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.entry().title
    }

    /// Why it matters.
    #[must_use]
    pub const fn why(self) -> &'static str {
        self.entry().why
    }

    /// What helps in general. A finding may say it for its own case.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        self.entry().fix
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
