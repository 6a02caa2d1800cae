//! What can be made up of a selection, and what cannot.

use subscription::InvalidSelection;

use super::*;

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn publisher() -> PublisherId {
    "hefei".parse().unwrap()
}

#[test]
fn an_article_is_made_up_for_each_way_to_be_in_a_selection() {
    let story = "story/0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
    for (text, count) in [
        ("all", 1),
        ("section/world/asia+language/zh-hans+urgency/2+keyword/桥", 1),
        ("subject/medtop/20000345+source/xinhua+text/خبر-عاجل", 1),
        ("publisher/other", 1),
        ("!section/sport", 1),
        (story, 1),
        ("(section/world,section/sport)+(language/en,language/zh)", 4),
    ] {
        let selection: Selection = text.parse().unwrap();
        let ways = ways(selection.parts());
        assert_eq!(ways.len(), count, "{text}");
        for way in ways {
            let article = made_up(&publisher(), &way, now()).unwrap_or_else(|| panic!("{text}"));
            assert!(selection.matches(&Features::of(&article)), "{text}: {article:?}");
        }
    }
}

#[test]
fn what_cannot_be_made_up_is_said() {
    let readers = Readers::new();
    let asked = |text: &str| readers.reach_of(&publisher(), text, now());
    assert!(matches!(asked("test"), Err(NoArticle::Nothing(_))));
    assert!(matches!(asked("nonsense"), Err(NoArticle::Selection(InvalidSelection { .. }))));
    let many: Vec<String> = ["keyword", "source"]
        .iter()
        .map(|kind| format!("({})", (0..12).map(|n| format!("{kind}/{n}")).collect::<Vec<_>>().join(",")))
        .collect();
    assert!(matches!(asked(&many.join("+")), Err(NoArticle::Many(_))));
    assert_eq!(asked("all").unwrap(), Reach::default(), "nobody has subscribed");
}
