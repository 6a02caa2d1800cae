//! Which element holds the story, and which of its lines are the story.

use super::dom::{Dom, Id, NONE, ROOT};
use super::outline::Run;
use super::words;

/// What a line is to the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Reads as a sentence of a story.
    Prose,
    /// Words that may be part of a story: a subheading, a list, a short line.
    Other,
    Caption,
    /// Links, labels of buttons, the words of a template.
    Furniture,
}

/// The element of the story and the roles of all lines.
pub(super) struct Found {
    pub(super) element: Id,
    pub(super) roles: Vec<Role>,
}

/// Whether a line reads as a sentence: long, or closed as sentences are.
pub(super) fn is_sentence(run: &Run) -> bool {
    let quotes = |c: char| matches!(c, '"' | '\'' | '”' | '’' | '」' | '』' | '»' | ' ');
    let stops = |text: &str| text.ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '।', '։', '።', '．']);
    let text = run.text.trim_end_matches(quotes);
    // A sign-off in brackets follows the end of the sentence.
    let before =
        text.strip_suffix([')', '）', ']', '】']).and_then(|rest| Some(&rest[..rest.rfind(['(', '（', '[', '【'])?]));
    let closed = stops(text)
        || stops(text.trim_end_matches([')', '）']))
        || before.is_some_and(|before| stops(before.trim_end_matches(quotes)));
    let wide = run.text.chars().filter(|c| *c >= '\u{2e80}').count() * 2 > run.letters;
    let (short, long) = if wide { (8, 40) } else { (16, 110) };
    if run.linked * 2 > run.letters && !(closed && run.linked * 10 < run.letters * 9) {
        return false;
    }
    run.letters >= long || (closed && run.letters >= short)
}

/// The role of each line, told from the line and the elements around it.
pub(super) fn roles(dom: &Dom, runs: &[Run]) -> Vec<Role> {
    let around = around(dom, runs);
    // A sentence under a heading that is a link leads to another story.
    let teases = |at: usize| {
        let above = at.checked_sub(1).map(|above| &runs[above]);
        above.is_some_and(|above| {
            let heading = above.letters >= 10 && matches!(dom.name(above.block), "h2" | "h3" | "h4" | "h5");
            heading && above.is_link() && dom.node(above.block).parent == dom.node(runs[at].block).parent
        })
    };
    runs.iter()
        .enumerate()
        .map(|(at, run)| {
            if words::says_furniture(&run.text, run.letters) || teases(at) {
                return Role::Furniture;
            }
            let sentence = is_sentence(run);
            match around[run.block as usize] {
                Some(role) => role,
                None if sentence => Role::Prose,
                None if run.linked * 10 >= run.letters * 8 && run.letters > 0 => Role::Furniture,
                None => Role::Other,
            }
        })
        .collect()
}

/// What each element makes of all lines in it, the innermost that says so. What holds a good part of all sentences is no
/// furniture, whatever it is called. Asked once of each element, not of each line: lines share those around them.
fn around(dom: &Dom, runs: &[Run]) -> Vec<Option<Role>> {
    let mut own = vec![0; dom.nodes.len()];
    let mut total = 0;
    for run in runs.iter().filter(|run| is_sentence(run)) {
        own[run.block as usize] += run.letters;
        total += run.letters;
    }
    let sentences = sums(dom, own);
    let mut roles = vec![None; dom.nodes.len()];
    for id in order(dom).into_iter().filter(|id| dom.element(*id).is_some()) {
        let small = sentences[id as usize] * 3 <= total;
        roles[id as usize] = if small && words::is_caption(dom, id) {
            Some(Role::Caption)
        } else if small && words::is_furniture(dom, id) {
            Some(Role::Furniture)
        } else {
            roles[dom.node(id).parent as usize]
        };
    }
    roles
}

/// Sums of what is in each element, its own included.
pub(super) fn sums<N: Copy + std::ops::AddAssign>(dom: &Dom, mut own: Vec<N>) -> Vec<N> {
    for id in order(dom).into_iter().rev() {
        let parent = dom.node(id).parent;
        if parent != NONE {
            let value = own[id as usize];
            own[parent as usize] += value;
        }
    }
    own
}

/// All nodes, parents before what is in them.
fn order(dom: &Dom) -> Vec<Id> {
    std::iter::once(ROOT).chain(dom.descendants(ROOT)).collect()
}

/// The element whose lines speak most for a story: sentences count for it, links and furniture against.
pub(super) fn find(dom: &Dom, runs: &[Run], roles: Vec<Role>) -> Option<Found> {
    let mut own = vec![0_i64; dom.nodes.len()];
    for (run, role) in runs.iter().zip(&roles) {
        let letters = i64::try_from(run.letters).unwrap_or(i64::MAX / 4);
        own[run.block as usize] += match role {
            Role::Prose => letters,
            Role::Other => -letters.min(12),
            Role::Caption => 0,
            Role::Furniture => -(letters / 2).clamp(2, 80),
        };
    }
    let sums = sums(dom, own);
    let mut best = (0, NONE);
    for id in order(dom) {
        let Some(element) = dom.element(id) else { continue };
        let name: &str = &element.name;
        if super::outline::is_inline(name) {
            continue;
        }
        // Between equals the inner one is the tighter.
        let score = sums[id as usize] + if words::is_story(dom, id) { 20 } else { 0 };
        if score > 0 && score >= best.0 {
            best = (score, id);
        }
    }
    // A paragraph alone is no story: its neighbours belong to it, however much stands around them.
    let found = (best.1 != NONE).then_some(best.1)?;
    let element = if dom.name(found) == "p" { dom.node(found).parent } else { found };
    Some(Found { element, roles })
}
