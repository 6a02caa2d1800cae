# 系统自身在邮件中的用语。文章的名称与正文一律不译。
byline = 作者：{$name}
source = 来源：{$name}
also-in = 其他语言版本：
read-on = 在网页上阅读
read-whole = 文章过长，邮件未能全部收录，请在网页上阅读全文
picture-credit = 图片：{$name}

topic-everything = 全部新闻
topic-section = “{$name}”栏目
topic-publisher = {$name} 发布的全部内容
topic-unnamed = 部分新闻

why = 您收到此邮件，是因为您订阅了 {$site} 的{$topic}。
why-notice = 您收到此邮件，是因为 {$site} 曾向您发送过本邮件所述的文章。
unsubscribe = 退订
forwarded = 这封邮件是别人转发给您的？欢迎自行订阅

subject-correction = 更正：{$name}
subject-withdrawal = 撤回：{$name}
subject-kill = 移除：{$name}
intro-correction = {$site} 发送给您的一篇文章已由其发布者更正。
intro-withdrawal = {$site} 发送给您的一篇文章已由其发布者撤回。
intro-kill = {$site} 发送给您的一篇文章已由其发布者移除。请删除载有该文的邮件，也请勿再传播其内容。
earlier-corrections = 此前的更正：
read-corrected = 阅读更正后的文章

confirm-subject = 请确认您对 {$site} 的订阅
confirm-intro = 有人（很可能是您本人）请求 {$site} 将{$topic}发送到此邮箱。
confirm-ask = 如需接收，请打开以下页面并点击按钮：
confirm-button = 确认订阅
confirm-ignore = 如果不是您本人操作，请忽略此邮件：未经确认，我们不会发送任何内容，并会删除这一请求。
list-separator = 、
path-separator = {" "}›{" "}
