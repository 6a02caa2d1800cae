//! The vocabulary of page templates: what classes call the parts of a page, and what furniture says.

use std::sync::LazyLock;

use super::dom::{Dom, Id};

fn words(text: &str) -> Vec<&str> {
    text.split_ascii_whitespace().collect()
}

/// Words in `class`, `id` and `role` of what stands around a story, or in it without being part of it.
static FURNITURE: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "ad ads author authors byline bylines profile adv advert advertisement advertising adbox banner bio bookmark breadcrumb breadcrumbs comment \
         comments commentlist disqus cookie copyright crumb crumbs cta disclaimer dialog donate donation download \
         feedback footer foot interstitial keywords keyword like likes login menu modal mostread nav navbar \
         navigation newsletter outbrain paging pagination pager paywall popular popup prevnext promo promotion qr \
         qrcode rail rate rating recommend recommended recommendation recommendations refs relate related relation \
         relational relatednews respond search share shared sharing sharebar sidebar signature signin signup sns \
         social sponsor sponsored statement subscribe subscription taboola tag tags tagcloud ticker toolbar tools \
         tool toplist topics vote weixin wechat weibo wxfollow meta ranking follow skip contentinfo complementary",
    )
});

/// Words in `class` and `id` of a caption.
static CAPTIONS: LazyLock<Vec<&str>> =
    LazyLock::new(|| words("caption captions figcaption imagecaption legend credit credits imgdesc pictext"));

/// Words in `class` and `id` of the element that holds the story.
static STORY: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "articlebody articlecontent articletext article body bodytext content contents detail entry main maintext \
         news newstext paragraph post postbody story storybody text txt zoom editor ucap",
    )
});

/// What a line of furniture says, in folded form without white space and closing punctuation. The whole line is one
/// of these, or begins with one of [`OPENINGS`].
static LINES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "advertisement advertising ad anzeige werbung publicidad publicite publicidade pubblicita reklam advertentie \
         広告 广告 廣告 광고 إعلان реклама share sharethis sharethisstory print printfriendly email save listen \
         copylink clicktocopy teilen drucken compartir partager paylas condividi シェア 印刷 保存 打印 收藏 分享 \
         分享到 转发 点赞 返回顶部 关闭 纠错 举报 复制链接 全文完 video 공유 이미지확대보기 loading reklama backtotop \
         related relatedarticles relatedstories readmore seealso leetambien siehauch mehrzumthema surlememesujet \
         alire aliraussi 相关阅读 相关新闻 相关报道 相关链接 延伸阅读 推荐阅读 此前报道 点击进入专题 关联记事 \
         関連記事 관련기사 انظرأيضا اقرأأيضا читаитетакже",
    )
});

/// How a line of furniture begins, folded in the same way.
static OPENINGS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "lesensieauch leetambien alireaussi surlememesujet sharethis readmore: seealso: alsoread: readalso: related: \
         clickhere subscribeto followuson signupfor 原标题 原題 此前报道 延伸阅读 相关阅读 相关新闻 相关链接 \
         点击进入专题 扫描二维码 扫一扫 扫码 更多精彩 更多资讯 欢迎关注 关注我们 版权声明 免责声明 声明： 声明: \
         特别声明 本文为 未经授权 未经允许 转载请 上一篇 下一篇 正文已结束 图片均来自 图片来源于网络 (本文来自 \
         (本文来源 (综合整理 本文来自 校对 审核 無断転載 무단전재 <copyright copyright© copyrightⓒ © ⓒ \
         allrightsreserved allcontents© ausdemdatencenter mehrzumthema newsletterabonnieren youmustlogin 推荐阅读 \
         责任编辑 责编 编辑: 编辑： 关键词 标签",
    )
});

/// What the paragraph says that some sites put behind every story, squeezed.
static CLOSINGS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    words(
        "newsletter recaptcha cookies allrightsreserved copyright© ©copyright abonnieren abonnez subscribeto whatsapp-kanal \
         followuson downloadour downloadthe ourapp kontaktierensieuns ihremeinungistuns termsofservice privacypolicy \
         nutzungsbedingungen 版权所有 未经授权 未经许可 转载请 客户端下载 下载客户端 关注公众号 微信公众号 扫描二维码 無断転載 무단전재",
    )
});

/// The longest closing paragraph, in letters.
const MAX_CLOSING: usize = 260;

/// Whether a paragraph at the end of a story is the site's own, the same behind every story.
pub(super) fn closes_for_the_site(text: &str, letters: usize) -> bool {
    let line = squeezed(text);
    letters <= MAX_CLOSING && CLOSINGS.iter().any(|closing| line.contains(closing))
}

/// The longest line that furniture has, in letters: prose may begin with the same words.
const MAX_LINE: usize = 60;

/// Bytes looked at of an attribute that says what an element is.
const MAX_CLASS: usize = 1000;

/// The words of `class` and `id`, split where case, digits or punctuation do: `articleBody`, `art_con`, `related-news`.
pub(super) fn class_words(dom: &Dom, id: Id) -> impl Iterator<Item = String> + '_ {
    let names = ["class", "id", "role", "itemprop"].into_iter().filter_map(move |name| dom.attribute(id, name));
    // Long lists of utility classes say nothing, and hostile ones cost.
    let names = names.map(|names| &names[..names.floor_char_boundary(MAX_CLASS)]);
    names.flat_map(|names| names.split_ascii_whitespace().take(12)).flat_map(split)
}

fn split(name: &str) -> Vec<String> {
    let (mut words, mut word, mut lower) = (vec![name.to_ascii_lowercase()], String::new(), false);
    for c in name.chars().take(80) {
        let ends = !c.is_ascii_alphabetic() || (c.is_ascii_uppercase() && lower);
        if ends && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        lower = c.is_ascii_lowercase();
        if c.is_ascii_alphabetic() {
            word.push(c.to_ascii_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn has_word(dom: &Dom, id: Id, list: &[&str]) -> bool {
    class_words(dom, id).any(|word| list.contains(&word.as_str()))
}

/// Whether an element calls itself something around the story.
pub(super) fn is_furniture(dom: &Dom, id: Id) -> bool {
    match dom.name(id) {
        "nav" | "aside" | "footer" | "menu" | "dialog" => true,
        "html" | "body" | "main" | "article" | "" => false,
        _ => has_word(dom, id, &FURNITURE),
    }
}

pub(super) fn is_caption(dom: &Dom, id: Id) -> bool {
    matches!(dom.name(id), "figure" | "figcaption" | "center") || has_word(dom, id, &CAPTIONS)
}

pub(super) fn is_story(dom: &Dom, id: Id) -> bool {
    dom.name(id) == "article" || has_word(dom, id, &STORY)
}

/// Whether the element or one around it, up to `depth` levels, has one of `words` in its class.
pub(super) fn within_class(dom: &Dom, id: Id, depth: usize, words: &[&str]) -> bool {
    std::iter::once(id)
        .chain(dom.ancestors(id))
        .take(depth)
        .filter(|id| !matches!(dom.name(*id), "html" | "body"))
        .any(|id| has_word(dom, id, words))
}

/// Lower case, accents and white space gone, full-width forms unfolded.
pub(super) fn squeezed(text: &str) -> String {
    let folded = crate::fold::Folded::new(text).text;
    let kept = folded.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{300}'..='\u{36f}'));
    kept.flat_map(char::to_lowercase).collect()
}

/// Whether a line says what only furniture says.
pub(super) fn says_furniture(text: &str, letters: usize) -> bool {
    if letters > MAX_LINE {
        return false;
    }
    let line = squeezed(text);
    let bare = line.trim_matches([':', '.', '>', '»', '›', '[', ']', '(', ')', '【', '】', '·', '|', '…']);
    let open = line.trim_start_matches(['(', '[', '【']);
    LINES.contains(&bare) || OPENINGS.iter().any(|opening| line.starts_with(opening) || open.starts_with(opening))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_class() {
        for (name, expected) in [
            ("articleBody", &["articlebody", "article", "body"][..]),
            ("related-news_2", &["related-news_2", "related", "news"]),
            ("TRS_Editor", &["trs_editor", "trs", "editor"]),
            ("zoom", &["zoom", "zoom"]),
        ] {
            assert_eq!(split(name), expected, "{name}");
        }
    }

    #[test]
    fn furniture_lines() {
        for text in [
            "Advertisement",
            "ADVERTISEMENT:",
            "Lesen Sie auch:",
            "原标题：快讯",
            "分享到：",
            "¡Lee también:",
            "Publicité",
        ] {
            let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
            assert!(says_furniture(text.trim_start_matches('¡'), letters), "{text}");
        }
        for text in ["Advertisers left the network on Monday.", "广告收入增长了三成。", ""] {
            assert!(!says_furniture(text, text.len()), "{text}");
        }
    }
}
