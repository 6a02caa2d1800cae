# What the project itself says in a mail. Names and texts of articles are never translated.
byline = By {$name}
source = Source: {$name}
also-in = Also in:
read-on = Read it on the web
read-whole = This article is longer than a mail should be. Read the whole of it on the web
follow = Follow this story
picture-credit = Picture: {$name}

topic-everything = all news
topic-section = the section “{$name}”
topic-publisher = everything published by {$name}
topic-about = news about “{$name}”
topic-source = news from “{$name}”
topic-language = news in {$name}
topic-most-urgent = the most urgent news (1)
topic-urgent = urgent news (1 or 2)
topic-urgency = news of urgency 1 to {$name}
topic-words = news with the words “{$name}”
topic-certain-words = news with certain words
topic-story = updates to the story “{$name}”
topic-some-story = updates to a story
topic-unnamed = a part of the news
topic-without = without {$topic}
topic-group = ({$topic})

also-section = in the section “{$name}”
also-publisher = published by {$name}
also-about = about “{$name}”
also-source = from “{$name}”
also-language = in {$name}
also-most-urgent = of urgency 1
also-urgent = of urgency 1 or 2
also-urgency = of urgency 1 to {$name}
also-words = with the words “{$name}”
also-certain-words = with certain words

language-ar = Arabic
language-de = German
language-en = English
language-es = Spanish
language-fr = French
language-ja = Japanese
language-ko = Korean
language-mn = Mongolian
language-pt = Portuguese
language-ru = Russian
language-zh = Chinese
language-zh-hans = Chinese (simplified)
language-zh-hant = Chinese (traditional)

why = You get this because you asked {$site} for {$topic}.
why-notice = You get this because {$site} sent you the article that this is about.
manage = Change what you get
unsubscribe = Unsubscribe
forwarded = Was this forwarded to you? Subscribe yourself

subject-correction = Correction: {$name}
subject-withdrawal = Withdrawn: {$name}
subject-kill = Removed: {$name}
subject-update = Updated: {$name}
intro-correction = An article that {$site} sent you has been corrected by its publisher.
intro-withdrawal = An article that {$site} sent you has been withdrawn by its publisher.
intro-kill = An article that {$site} sent you has been removed by its publisher. Please delete the mail that brought it, and pass nothing of it on.
intro-update = There is news in the story that you follow at {$site}.
earlier-corrections = Corrected before:
read-corrected = Read the corrected article

subject-digest = {$site}, {$day}: {$count ->
    [one] one article
   *[other] {$count} articles
}
digest-count = {$count ->
    [one] one article you asked for
   *[other] {$count} articles you asked for
}
digest-more = {$count ->
    [one] One more article
   *[other] {$count} more articles
}
digest-times = Times are those of {$zone}.
corrected = corrected

day = {$weekday}, {$day} {$month} {$year}
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

confirm-subject = Please confirm your subscription to {$site}
confirm-intro = Someone, most likely you, asked {$site} to send to this address {$topic}.
confirm-ask = To receive it, open the page below and press its button:
confirm-button = Confirm the subscription
confirm-ignore = If it was not you, do nothing: without your confirmation we send nothing, and we forget the request.

access-subject = Your subscriptions at {$site}
access-intro = Someone, most likely you, asked {$site} for a link to the page where you see and change your subscriptions.
access-ask = It works for one hour:
access-button = Open my subscriptions
access-ignore = If it was not you, do nothing: the page opens by this mail alone, and nothing was changed.

list-separator = ,{" "}
part-separator = ,{" "}
or-separator = {" "}or{" "}
path-separator = {" "}›{" "}
