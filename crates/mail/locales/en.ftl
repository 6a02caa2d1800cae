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
unsubscribe = Unsubscribe
forwarded = Was this forwarded to you? Subscribe yourself

confirm-subject = Please confirm your subscription to {$site}
confirm-intro = Someone, most likely you, asked {$site} to send {$topic} to this address.
confirm-ask = To receive it, open the page below and press its button:
confirm-button = Confirm the subscription
confirm-ignore = If it was not you, do nothing: without your confirmation we send nothing, and we forget the request.
list-separator = ,{" "}
path-separator = {" "}›{" "}
