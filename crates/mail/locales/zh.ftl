# 系统自身在邮件中的用语。文章的名称与正文一律不译。
byline = 作者：{$name}
source = 来源：{$name}
also-in = 其他语言版本：
read-on = 在网页上阅读
read-whole = 文章过长，邮件未能全部收录，请在网页上阅读全文
follow = 关注这篇报道的后续
picture-credit = 图片：{$name}

topic-everything = 全部新闻
topic-section = “{$name}”栏目
topic-publisher = {$name} 发布的全部内容
topic-about = 关于“{$name}”的新闻
topic-source = 来自“{$name}”的新闻
topic-language = {$name}新闻
topic-most-urgent = 最紧急新闻（1 级）
topic-urgent = 紧急新闻（1 级或 2 级）
topic-urgency = 1 至 {$name} 级紧急程度的新闻
topic-words = 含有“{$name}”的新闻
topic-certain-words = 含有特定词语的新闻
topic-story = 报道“{$name}”的后续更新
topic-some-story = 一篇报道的后续更新
topic-unnamed = 部分新闻
topic-without = 不含{$topic}
topic-group = （{$topic}）

also-section = 限“{$name}”栏目
also-publisher = 限 {$name} 发布
also-about = 限关于“{$name}”
also-source = 限来自“{$name}”
also-language = 限{$name}
also-most-urgent = 限 1 级紧急程度
also-urgent = 限 1 级或 2 级紧急程度
also-urgency = 限 1 至 {$name} 级紧急程度
also-words = 限含有“{$name}”
also-certain-words = 限含有特定词语

language-ar = 阿拉伯文
language-de = 德文
language-en = 英文
language-es = 西班牙文
language-fr = 法文
language-ja = 日文
language-ko = 朝鲜文
language-mn = 蒙古文
language-pt = 葡萄牙文
language-ru = 俄文
language-zh = 中文
language-zh-hans = 简体中文
language-zh-hant = 繁体中文

why = 您收到此邮件，是因为您向 {$site} 订阅了：{$topic}。
why-notice = 您收到此邮件，是因为 {$site} 曾向您发送过本邮件所述的文章。
manage = 更改订阅
unsubscribe = 退订
forwarded = 这封邮件是别人转发给您的？欢迎自行订阅

subject-correction = 更正：{$name}
subject-withdrawal = 撤回：{$name}
subject-kill = 移除：{$name}
subject-update = 更新：{$name}
intro-correction = {$site} 发送给您的一篇文章已由其发布者更正。
intro-withdrawal = {$site} 发送给您的一篇文章已由其发布者撤回。
intro-kill = {$site} 发送给您的一篇文章已由其发布者移除。请删除载有该文的邮件，也请勿再传播其内容。
intro-update = 您在 {$site} 关注的报道有了新的进展。
earlier-corrections = 此前的更正：
read-corrected = 阅读更正后的文章

subject-digest = {$site} {$day}：{$count} 篇文章
digest-count = 您订阅的 {$count} 篇文章
digest-more = 另有 {$count} 篇文章
digest-times = 以上为 {$zone} 时间。
corrected = 已更正

day = {$year}年{$month}{$day}日 {$weekday}
weekday-1 = 星期一
weekday-2 = 星期二
weekday-3 = 星期三
weekday-4 = 星期四
weekday-5 = 星期五
weekday-6 = 星期六
weekday-7 = 星期日
month-1 = 1月
month-2 = 2月
month-3 = 3月
month-4 = 4月
month-5 = 5月
month-6 = 6月
month-7 = 7月
month-8 = 8月
month-9 = 9月
month-10 = 10月
month-11 = 11月
month-12 = 12月

confirm-subject = 请确认您对 {$site} 的订阅
confirm-intro = 有人（很可能是您本人）请求 {$site} 向此邮箱发送：{$topic}。
confirm-ask = 如需接收，请打开以下页面并点击按钮：
confirm-button = 确认订阅
confirm-ignore = 如果不是您本人操作，请忽略此邮件：未经确认，我们不会发送任何内容，并会删除这一请求。

access-subject = 您在 {$site} 的订阅
access-intro = 有人（很可能是您本人）向 {$site} 索取了查看和更改订阅的页面链接。
access-ask = 链接一小时内有效：
access-button = 打开我的订阅
access-ignore = 如果不是您本人所为，请忽略：只有通过此邮件才能打开该页面，未作任何更改。

list-separator = 、
part-separator = ，
or-separator = 或
path-separator = {" "}›{" "}
