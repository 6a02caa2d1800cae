# What the project itself says in a mail. Names and texts of articles are never translated.
byline = By {$name}
source = Source: {$name}
also-in = Also in:
read-on = Read it on the web
read-whole = This article is longer than a mail should be. Read the whole of it on the web
picture-credit = Picture: {$name}

topic-everything = all news
topic-section = the section “{$name}”
topic-publisher = everything published by {$name}
topic-unnamed = a part of the news

why = You get this because you subscribed to {$topic} from {$site}.
why-notice = You get this because {$site} sent you the article that this is about.
unsubscribe = Unsubscribe
forwarded = Was this forwarded to you? Subscribe yourself

subject-correction = Correction: {$name}
subject-withdrawal = Withdrawn: {$name}
subject-kill = Removed: {$name}
intro-correction = An article that {$site} sent you has been corrected by its publisher.
intro-withdrawal = An article that {$site} sent you has been withdrawn by its publisher.
intro-kill = An article that {$site} sent you has been removed by its publisher. Please delete the mail that brought it, and pass nothing of it on.
earlier-corrections = Corrected before:
read-corrected = Read the corrected article

confirm-subject = Please confirm your subscription to {$site}
confirm-intro = Someone, most likely you, asked {$site} to send {$topic} to this address.
confirm-ask = To receive it, open the page below and press its button:
confirm-button = Confirm the subscription
confirm-ignore = If it was not you, do nothing: without your confirmation we send nothing, and we forget the request.
list-separator = ,{" "}
path-separator = {" "}›{" "}
