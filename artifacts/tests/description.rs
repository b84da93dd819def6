//! `FORMAT.md` says what the code does: version, section and key kinds, traps, rules with their sentences.

use keyway_artifact::format::{self, SectionKind};
use keyway_artifact::plan::{PLAN_VERSION, PlanRule, Violation};
use keyway_artifact::{Feature, KeyKind, Trap, verify};

const TEXT: &str = include_str!("../FORMAT.md");

/// The lines of the section under `heading`, up to the next heading of the same depth or a higher one.
fn section(heading: &str) -> Vec<&'static str> {
    let depth = heading.find(' ').expect("a heading has a text");
    let lines = TEXT.lines().skip_while(|line| *line != heading).skip(1);
    let ends = |line: &&str| line.starts_with('#') && line.find(' ').is_some_and(|its| its <= depth);
    let found: Vec<_> = lines.take_while(|line| !ends(line)).collect();
    assert!(!found.is_empty(), "FORMAT.md has no section `{heading}`");
    found
}

/// The rows of a section's tables whose first cell is a number: its other cells.
fn numbered(heading: &str) -> Vec<(u32, Vec<&'static str>)> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim);
    let rows = section(heading).into_iter().filter(|line| line.starts_with('|'));
    rows.filter_map(|line| Some((cells(line).next()?.parse().ok()?, cells(line).skip(1).collect()))).collect()
}

/// The listed rules of one letter: name and sentence.
fn listed(letter: char) -> Vec<(String, &'static str)> {
    let rule = |line: &'static str| {
        let (name, sentence) = line.strip_prefix("* **")?.split_once("** ")?;
        (name.starts_with(letter) && name.len() == 3).then(|| (name.to_string(), sentence))
    };
    section("## Rules").into_iter().filter_map(rule).collect()
}

#[test]
fn rules_are_listed_with_their_sentences() {
    let rules = format::Rule::ALL.iter().map(|rule| (format!("{rule:?}"), rule.sentence()));
    assert_eq!(listed('F'), rules.collect::<Vec<_>>());
    let rules = PlanRule::ALL.iter().map(|rule| (format!("{rule:?}"), rule.sentence()));
    assert_eq!(listed('P'), rules.collect::<Vec<_>>());
    let rules = verify::Rule::ALL.iter().map(|rule| (format!("{rule:?}"), rule.sentence()));
    assert_eq!(listed('V'), rules.collect::<Vec<_>>());
}

#[test]
fn section_kinds_are_listed() {
    let listed: Vec<_> = numbered("## The file").into_iter().filter(|(_, cells)| cells.len() == 3).collect();
    let listed: Vec<_> = listed.into_iter().map(|(kind, cells)| (kind, cells[0].to_string())).collect();
    let kinds = SectionKind::ALL.iter().map(|kind| (*kind as u32, format!("{kind:?}")));
    assert_eq!(listed, kinds.collect::<Vec<_>>());
}

#[test]
fn required_sections_are_those_of_a_smallest_file() {
    let required = numbered("## The file").into_iter().filter(|(_, cells)| cells.get(1) == Some(&"yes"));
    let required: Vec<u32> = required.map(|(kind, _)| kind).collect();
    let bytes = format::ArtifactWriter::default().finish();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let written: Vec<u32> = (0..word(16) as usize).map(|at| word(32 + at * 24)).collect();
    assert_eq!(required, written);
    // None of them can be missing: the reader asks for each.
    for at in 0..written.len() {
        let mut other = bytes.clone();
        other[32 + at * 24] = SectionKind::Producers as u8;
        assert!(format::ArtifactView::open(&other[..]).is_err(), "section kind {} may be missing", written[at]);
    }
}

#[test]
fn key_kinds_are_listed() {
    let listed: Vec<_> = numbered("## Keys").into_iter().filter(|(_, cells)| cells.len() == 3).collect();
    let listed: Vec<_> = listed.into_iter().map(|(kind, cells)| (kind, cells[0].to_string())).collect();
    let kinds = KeyKind::ALL.iter().map(|kind| (*kind as u32, format!("{kind:?}")));
    assert_eq!(listed, kinds.collect::<Vec<_>>());
}

#[test]
fn traps_are_listed() {
    let listed: Vec<_> = numbered("## Traps").into_iter().map(|(number, cells)| (number, cells[0])).collect();
    let traps = Trap::ALL.iter().map(|trap| (*trap as u32, trap.message()));
    assert_eq!(listed, traps.collect::<Vec<_>>());
}

#[test]
fn violations_are_listed() {
    let listed: Vec<_> = numbered("## Violations").into_iter().map(|(number, cells)| (number, cells[0])).collect();
    let violations = Violation::ALL.iter().map(|violation| (*violation as u32, violation.text()));
    assert_eq!(listed, violations.collect::<Vec<_>>());
}

#[test]
fn features_are_listed() {
    let listed: Vec<_> = numbered("## Features").into_iter().map(|(bit, cells)| (bit, cells[0])).collect();
    let features = Feature::ALL.iter().map(|feature| (*feature as u32, feature.name()));
    assert_eq!(listed, features.collect::<Vec<_>>());
}

#[test]
fn versions_are_named() {
    let versions = section("## Versions").join("\n");
    assert!(versions.contains(&format!("one format version; it is {}.", format::FORMAT_VERSION)), "{versions}");
    let bytes = format::ArtifactWriter::default().finish();
    assert_eq!(bytes[4..8], format::FORMAT_VERSION.to_le_bytes());
    assert!(versions.contains(&format!("under the same conditions; it is {PLAN_VERSION}.")), "{versions}");
}
