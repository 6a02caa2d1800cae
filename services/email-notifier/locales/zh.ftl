# 页面用语。栏目与发布者的名称由编辑部确定，一律不译。
language-name = 中文
other-languages = 语言
home = 全部订阅源
problem-title = 请检查

subscribe-title = 邮件订阅
subscribe-lead = 文章一经发布，{$site} 即发送给您。免费，无需注册。
field-selection = 您想订阅哪些内容？
group-combined = 您的选择
group-sections = 栏目
group-publishers = 发布者
all-news = 全部新闻
field-address = 邮箱地址
field-address-hint = 例如 name@example.org
field-language = 系统用语的语言
field-language-hint = 文章保持其原有语言。
field-trap = 请留空
consent = 点击按钮，即表示您请求 {$site} 将所选新闻发送到此邮箱。该地址仅用于此目的。您可随时通过每封邮件中的链接一键退订。
consent-version = 本说明第 {$version} 版。
subscribe-button = 订阅
next-title = 接下来
next-mail = 您会收到一封来自 {$from} 的邮件，其中有确认按钮。在您确认之前，我们不会发送任何内容。
next-confirm = 确认按钮 7 天内有效，过期后我们会删除您的请求。
next-leave = 每封邮件都有退订链接，长期有效，无需密码。

problem-shape = 这不是邮箱地址。地址中应有一个 @，前后都有内容，例如 name@example.org。
problem-too-long = 地址过长，请检查。
problem-local = @ 之前只能使用不带重音的英文字母、数字、点号和少数符号。如果您的地址使用其他文字，请填写同一邮箱的另一个地址。
problem-domain = @ 之后应为带点号的域名，例如 example.org。
problem-selection = 没有这部分内容，请从列表中选择。
problem-busy = 您所在的网络或该邮件系统刚才请求过多，请几分钟后再试；尚未发送任何邮件。
problem-away = 未能保存您的请求，请稍后再点击一次按钮。

sent-title = 请查看您的收件箱
sent-text = 如果该地址可以订阅，一封带有确认按钮的邮件已在发送途中，发件人为 {$from}。
sent-hint = 如果几分钟后仍未收到，请查看垃圾邮件。同一地址每天最多收到一封确认邮件。
sent-back = 订阅另一个地址

confirm-title = 确认订阅
confirm-text = {$site} 将向 {$address} 发送：
confirm-button = 确认，请发送给我
confirm-ignore = 如果这不是您本人的请求，请关闭本页。我们不会发送任何内容，该请求会自动删除。

subscribed-title = 订阅成功
subscribed-text = {$site} 向 {$address} 发送：
subscribed-next = 下一篇文章发布时，您将收到第一封邮件。您可随时通过邮件中的链接退订。
manage = 查看或终止订阅

dead-title = 此链接已失效
dead-confirm = 确认链接须完整，且 7 天内有效。未作任何更改：如果您此前已确认，订阅依然有效；如果没有，请重新订阅。
dead-unsubscribe = 链接不完整，或不是由我们发出的。未作任何更改。请打开您收到的最近一封邮件末尾的链接。
subscribe-again = 订阅

unsubscribe-title = 终止订阅
unsubscribe-text = {$site} 向 {$address} 发送：
unsubscribe-one = 终止
unsubscribe-one-label = 终止：{$topic}
unsubscribe-only-button = 退订
unsubscribe-all-button = 全部终止
unsubscribe-changed = 已终止该项订阅；以下内容继续发送。

left-title = 您已退订
left-text = {$site} 不再向您发送新闻。已在途中的邮件仍可能送达。

unknown-title = 此处没有内容
unknown-text = 页面地址有误或已过期。
too-large-title = 内容过大
too-large-text = 提交的内容过大。未作任何更改。
slow-title = 请求超时
slow-text = 请求未能及时送达。未作任何更改，请重试。
away-title = 请稍后再试
away-text = 暂时无法读取记录，请刷新页面或再次点击按钮。
