//! News agencies by the names that bylines give them.

/// Squeezed: lower case, without blanks and accents; one after the other.
const AGENCIES: &str = "aa aap adnkronos afp agencefrance-presse agencefrancepresse agencias agences agentur agenturen agerpres agi \
     anadoluajansı anadoluajansi anadoluagency ani anp ansa antara ap apa associatedpress ats belga bernama \
     bloomberg bta canadianpress cna ctk dha dowjones dpa dpa-afx efe agenciaefe epd europapress iha \
     ihlashaberajansı ians interfax irna kna kyodo kyodonews lusa maxppp mti nan notimex ntb pa pamedia pap \
     pressassociation pti presstrustofindia reuters rianovosti ritzau sda sid spa stt tanjug tass telam tt unn \
     ukrinform upi wafa wam xinhua xinhuanewsagency yonhap риановости тасс интерфакс укринформ унiан 新华社 \
     新华网 新華社 中新社 中新网 中国新闻社 中国新闻网 中央社 路透社 法新社 美联社 塔斯社 共同社 共同通信 \
     共同通信社 時事通信 時事通信社 ロイター 新华社客户端 رويترز ا ف ب وام واس";

/// News agencies, by any of their names.
pub(super) fn is_agency(name: &str) -> bool {
    let bare = super::words::squeezed(name);
    let bare = bare.trim_matches(|c: char| !c.is_alphanumeric());
    let known = |name: &str| AGENCIES.split_ascii_whitespace().any(|agency| agency == name);
    known(bare) || bare.strip_prefix("the").is_some_and(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agencies_and_others() {
        for name in
            ["AFP", "The Associated Press", "Anadolu Ajansı", "新华社", "(dpa)", "Agence France-Presse", "РИА Новости"]
        {
            assert!(is_agency(name), "{name}");
        }
        for name in ["Ana Ruiz", "The", "", "Apa Sherpa"] {
            assert!(!is_agency(name), "{name}");
        }
    }
}
