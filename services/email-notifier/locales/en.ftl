# What the pages say. Names of sections and publishers are the newsroom's and never translated.
language-name = English
other-languages = Language
home = All feeds
problem-title = Please check

subscribe-title = News by email
subscribe-lead = {$site} sends you each article when it is published. It costs nothing and needs no account.
field-selection = What would you like to get?
group-combined = Your selection
group-sections = Sections
group-publishers = Publishers
all-news = All news
field-address = Email address
field-address-hint = For example name@example.org
field-language = Language of our words
field-language-hint = Articles keep their own language.
field-trap = Leave this empty
consent = By pressing the button you ask {$site} to send the chosen news to this address. We use the address for that and nothing else. You can leave at any time, with one press, by the link in every mail.
consent-version = Version {$version} of this text.
subscribe-button = Subscribe
next-title = What happens next
next-mail = You get one mail from {$from} with a button to confirm. Until you press it we send nothing.
next-confirm = The button works for 7 days. After that we forget your request.
next-leave = Every mail has a link to leave. It works for ever and asks for no password.

problem-shape = This is not an email address. It has one @ with something before and after it, such as name@example.org.
problem-too-long = This address is too long. Please check it.
problem-local = Before the @ an address may have unaccented letters, digits, dots and a few signs. If yours is in another script, please give another address of the same mailbox.
problem-domain = After the @ there must be a domain name with a dot in it, such as example.org.
problem-selection = This part of the news is not to be had. Please choose one from the list.
problem-busy = Many requests came from your network or for this mail system just now. Please try again in a few minutes; nothing was sent.
problem-away = We could not keep your request. Please press the button once more in a moment.

sent-title = Look into your inbox
sent-text = If this address can be subscribed, a mail with a button to confirm is on its way. It comes from {$from}.
sent-hint = If it is not there in a few minutes, look among the junk. One address gets at most one such mail a day.
sent-back = Subscribe another address

confirm-title = Confirm your subscription
confirm-text = {$site} will send to {$address}:
confirm-button = Yes, send it to me
confirm-ignore = If you did not ask for this, close the page. Nothing will be sent, and the request is forgotten by itself.

subscribed-title = You are subscribed
subscribed-text = {$site} sends to {$address}:
subscribed-next = The first mail comes with the next article. You can leave by the link in every mail.
manage = See or end your subscriptions

dead-title = This link does not work any more
dead-confirm = A link to confirm works for 7 days and has to be complete. Nothing was changed: if you have confirmed before, you are still subscribed. If not, please subscribe once more.
dead-unsubscribe = The link is not complete or not ours. Nothing was changed. Please open the link at the end of the latest mail you got from us.
subscribe-again = Subscribe

unsubscribe-title = End your subscriptions
unsubscribe-text = {$site} sends to {$address}:
unsubscribe-one = End
unsubscribe-one-label = End: {$topic}
unsubscribe-only-button = Unsubscribe
unsubscribe-all-button = End all of them
unsubscribe-changed = Done. That one has ended; what you see below goes on.

left-title = You are unsubscribed
left-text = {$site} sends you no more news. A mail that was already on its way may still arrive.

unknown-title = There is nothing here
unknown-text = The address of this page is wrong or out of date.
too-large-title = That was too much
too-large-text = The form was larger than any address. Nothing was changed.
slow-title = That took too long
slow-text = The request did not arrive in time. Nothing was changed. Please try again.
away-title = Please try again in a moment
away-text = We could not reach our records. Please reload the page or press the button once more.
