package lang

// trials are the sentences of projected threats and of reports on scans: key = Vietnamese | English.
const trials = `
nav.trials = Bài thử | Trials
right.trials = bật bài thử vật giả, xem kết quả | switch trials on, see their results
act.trials = bật hoặc tắt bài thử | switched trials
act.trials-read = xem kết quả bài thử | read the results of trials

passage.tdr.why = Báo cáo phát hiện nguy cơ DICOS (TDR) của ảnh soi này | DICOS threat detection report (TDR) on this scan

trials.title = Bài thử: vật giả trong ảnh soi | Trials: fictional threats in scans
trials.why = Khi bật, một phần ảnh soi của làn hiện cho người xét với một vật giả, hoặc không có gì thêm. Quyết định trên ảnh đó không được ghi, không gửi đi; máy cho biết ngay đó là bài thử, rồi người xét quyết định trên ảnh thật. | While they are on, a share of the lane's scans is shown to its reviewers with a fictional threat, or with none. What they decide on such a picture is neither recorded nor sent; they are told at once that it was a trial, and then decide on the real scan.
trials.real = Kết luận, bằng chứng, lệnh giữ và thống kê của lượt qua thật không bao giờ chứa vật giả. | Findings, evidence, holds and statistics of real passages never contain a fictional threat.
trials.lanes = Theo làn | By lane
trials.state = Bài thử | Trials
trials.on = bật | on
trials.off = tắt | off
trials.share = Tỉ lệ ảnh là bài thử | Share of scans that are trials
trials.by = Người bật, tắt | Switched by
trials.never = chưa bật lần nào | never on
trials.turnon = Bật | Switch on
trials.turnoff = Tắt | Switch off
trials.nolanes = Chưa có làn nào trong hồ sơ. | The record has no lane yet.
trials.bad = Chọn một làn và một tỉ lệ trên 0 và không quá 20 %. | Choose a lane and a share above 0 and at most 20 %.
trials.rates = Theo người xét | By reviewer
trials.reviewer = Người xét | Reviewer
trials.hits = Nhận ra vật giả | Threats noticed
trials.alarms = Nghi nhầm ảnh sạch | Clean scans suspected
trials.interval = khoảng tin cậy 90 % | 90 % interval
trials.counted = Chỉ tính bài thử đã trả lời mà ảnh thật được cho qua. | Only trials that were answered, and whose real scan was found clear, are counted.
trials.none = Chưa có bài thử nào được trả lời. | No trial has been answered yet.
trials.of = trên | of
trials.answered = Bài thử gần đây | Latest trials
trials.when = Trả lời lúc | Answered at
trials.outcome = Kết quả | Outcome
trials.report = Báo cáo | Report
trials.report.why = Báo cáo DICOS (TDR) về câu trả lời của người xét trong bài thử này | DICOS report (TDR) on what the reviewer said in this trial
outcome.hit = nhận ra vật giả | threat noticed
outcome.miss = bỏ qua vật giả | threat missed
outcome.alarm = nghi nhầm ảnh sạch | clean scan suspected
outcome.right = cho qua đúng | rightly cleared

trial.title = Đây là bài thử. | This was a trial.
trial.hit = Bạn đã nhận ra vật giả. | You noticed the fictional threat.
trial.miss = Bạn đã bỏ qua vật giả. | You missed the fictional threat.
trial.alarm = Bạn đã nghi một ảnh không có gì thêm. | You suspected a scan into which nothing was projected.
trial.right = Bạn đã cho qua đúng: không có gì được ghép thêm. | You were right to clear it: nothing was projected.
trial.void = Bài thử đã dừng trước khi bạn trả lời; nó không được tính. | The trial was ended before you answered; it does not count.
trial.now = Quyết định vừa rồi không được ghi. Bên dưới là ảnh thật: hãy quyết định trên ảnh này. | What you decided was not recorded. Below is the real scan: decide on it now.
trial.where = Chỗ đã ghép được khoanh nét đứt. | Where it was is marked by a dashed line.
trial.mark = vật giả đã ở đây | the fictional threat was here
trial.stale = Trang này còn hiện ảnh của bài thử nên quyết định không được ghi. Hãy xem ảnh thật rồi quyết định lại. | This page still showed a trial, so nothing was recorded. Look at the real scan and decide again.
threat.pistol = Vật giả: súng ngắn. | The threat: a pistol.
threat.revolver = Vật giả: súng ổ quay. | The threat: a revolver.
threat.knife = Vật giả: dao. | The threat: a knife.
threat.pipe = Vật giả: ống kín. | The threat: a capped pipe.
`
