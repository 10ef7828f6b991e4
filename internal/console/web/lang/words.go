package lang

// pages are the sentences of the pages: key = Vietnamese | English.
const pages = `
agency.CUSTOMS = Hải quan | Customs
agency.BORDERGUARD = Biên phòng | Border Guard
agency.long.CUSTOMS = Hải quan Việt Nam | Viet Nam Customs
agency.long.BORDERGUARD = Bộ đội Biên phòng | Border Guard Command

unit.s = giây | s
unit.min = phút | min
unit.h = giờ | h
unit.d = ngày | d

nav.board = Làn xe | Lanes
nav.alerts = Cảnh báo | Alerts
nav.status = Kỹ thuật | Technical
nav.logout = Đăng xuất | Log out
nav.language = English | Tiếng Việt
nav.skip = Tới nội dung chính | Skip to main content

link.hub.lost = Mất kết nối với trung tâm: màn hình không nhận dữ liệu mới từ cửa khẩu | Connection to the hub lost: nothing new reaches this screen from the gate
link.hub.since = từ | since
link.live.lost = Mất kết nối với máy chủ: những gì bạn thấy có thể đã cũ | Connection to the console lost: what you see may be old
link.trouble = Đồng bộ đang dừng | Synchronisation stands still
link.up = Đã kết nối | Connected
link.down = Mất kết nối | Disconnected
gate.silent = Cửa khẩu không gửi gì | The gate has sent nothing for

login.title = Đăng nhập | Log in
login.name = Tên đăng nhập | Log-in name
login.password = Mật khẩu | Password
login.submit = Đăng nhập | Log in
login.wrong = Sai tên đăng nhập hoặc mật khẩu. | Log-in name or password is wrong.
login.slow = Thử quá nhiều lần. Hãy đợi một phút rồi thử lại. | Too many tries. Wait a minute and try again.
login.nobody = Chưa có tài khoản nào. Kỹ thuật viên tạo liên kết thiết lập một lần bằng lệnh: | There is no account yet. A technician makes a one-time set-up link with:

setup.title = Thiết lập tài khoản đầu tiên | Set up the first account
setup.intro = Liên kết này chỉ dùng được một lần. Tên của bạn chỉ lưu tại cơ quan bạn; cơ quan kia chỉ thấy số hiệu được cấp ngẫu nhiên. | This link works once. Your name stays with your agency; the other agency sees only a badge number given at random.
setup.name = Họ và tên | Full name
setup.password = Mật khẩu (ít nhất 12 ký tự) | Password (at least 12 characters)
setup.repeat = Nhập lại mật khẩu | Repeat the password
setup.submit = Tạo tài khoản | Create the account
setup.invalid = Liên kết thiết lập không còn hiệu lực. Kỹ thuật viên tạo liên kết mới bằng lệnh: | The set-up link is no longer valid. A technician makes a new one with:
setup.short = Mật khẩu phải có ít nhất 12 ký tự. | The password must have at least 12 characters.
setup.differ = Hai mật khẩu không giống nhau. | The two passwords differ.
setup.login = Tên đăng nhập phải có 2 đến 64 ký tự, không có dấu cách. | The log-in name must have 2 to 64 characters and no spaces.

board.title = Làn xe | Lanes
board.passages = Lượt qua, mới nhất trước | Passages, newest first
board.empty = Chưa có lượt qua nào. | No passage yet.
board.devices = Thiết bị | Devices
board.nodevices = Cửa khẩu chưa báo thiết bị nào. | The gate has not reported any device yet.
board.col.time = Giờ (+07) | Time (+07)
board.col.plate = Biển số | Plate
board.col.lane = Làn | Lane
board.col.coverage = Đã kiểm | Looked
board.col.state = Trạng thái | State
board.col.alerts = Cảnh báo | Alerts
board.col.verdicts = Quyết định | Verdicts

plate.unread = chưa đọc được, xem ảnh | unread, see image
plate.pending = đang đọc | being read
plate.none = không có ảnh biển | no plate image

device.nosignal = mất tín hiệu | no signal
device.since = từ | since
device.unknown = chưa rõ | not known
device.heard = nghe lần cuối | last heard

alerts.title = Cảnh báo | Alerts
alerts.open = Chờ quyết định của bạn | Waiting for your verdict
alerts.none = Không có cảnh báo nào chờ quyết định. | No alert is waiting for a verdict.
alerts.late = đến muộn | late
alerts.superseded = đã cập nhật | superseded
alerts.cancelled = đã huỷ | cancelled
alerts.exercise = DIỄN TẬP | EXERCISE
alerts.decided = đã quyết định | decided
alerts.undecided = chưa quyết định | undecided
alerts.lead = chủ trì | lead
alerts.empty = Chưa có cảnh báo nào. | No alert yet.
alerts.recent = Tất cả, mới nhất trước | All, newest first

passage.title = Lượt qua | Passage
passage.notfound = Không có lượt qua này trong kho. | The store has no such passage.
passage.version = bản | version
passage.photo = Ảnh | Photo
passage.nophoto = Không có ảnh của lượt qua này. | There is no photo of this passage.
passage.scan = Ảnh soi X-quang | X-ray scan
passage.noscan = Không có ảnh soi của lượt qua này. | There is no scan of this passage.
passage.cut = Lượt soi bị ngắt giữa chừng: ảnh không đầy đủ | The scan was cut off: the image is not complete
passage.radiation = Phóng xạ | Radiation
passage.noradiation = Không có số đo phóng xạ của lượt qua này. | There is no radiation measurement of this passage.
passage.coverage = Cảm biến đã nhìn chưa | Was each sensor looking
passage.looked = đã kiểm | looked
passage.awaited = chưa tới lượt | not yet
passage.notlooked = KHÔNG kiểm được | did NOT look
passage.findings = Phát hiện | Findings
passage.nofindings = Không có phát hiện. | No findings.
passage.nofindings.gap = Không có phát hiện, nhưng có cảm biến không kiểm được. | No findings, but a sensor was not looking.
passage.pending = Còn chờ phân tích ảnh | Image analysis is still awaited
passage.verdicts = Quyết định của hai cơ quan | Verdicts of both agencies
passage.noverdict = chưa quyết định | no verdict yet
passage.disagree = Hai cơ quan quyết định khác nhau | The agencies disagree
passage.pendingverdict = đang gửi tới cửa khẩu | on its way to the gate
passage.saw = đã xem bản | saw version
passage.sawold = quyết định trên bản cũ hơn | decided on an older version
passage.earlier = các quyết định trước | earlier verdicts
passage.receipts = Đã nhận | Received
passage.notreceived = chưa báo nhận | no receipt yet
passage.provenance = Nguồn gốc bản ghi | Provenance of the record
passage.chain = Chuỗi | Chain
passage.sequence = Số thứ tự | Sequence
passage.head = Mã băm | Hash
passage.stored = Lưu tại đây | Stored here
passage.appended = Ghi vào chuỗi | Chained
passage.readings = Số đo gốc | Readings
passage.device = Thiết bị | Device
passage.kind = Loại | Kind
passage.at = Lúc | At
passage.quality = Chất lượng | Quality
passage.frames = Khung dữ liệu | Frames
passage.source = Nguồn | Source
passage.score = Điểm | Score
passage.notes = Ghi chú nội bộ | Internal notes
passage.notes.private = Chỉ cơ quan bạn thấy | Seen by your agency only
passage.notes.add = Thêm ghi chú | Add a note
passage.notes.placeholder = Viết ghi chú cho ca sau | Write a note for the next shift
passage.evidence.wait = Đang tải ảnh từ cửa khẩu | The image is on its way from the gate
passage.evidence.missing = Cửa khẩu không còn ảnh này | The gate no longer has this image
passage.original = Gốc | Original
passage.alternates = hoặc | or
passage.back = Về danh sách | Back to the list
passage.alertsnow = Cảnh báo của lượt qua này | Alerts on this passage
passage.instruction = Việc cần làm | What to do

viewer.regions = Vùng | Regions
viewer.invert = Đảo màu | Invert
viewer.contrast = Tương phản | Contrast
viewer.closer = Phóng to | Zoom in
viewer.farther = Thu nhỏ | Zoom out
viewer.fit = Vừa | Fit

chart.gamma = Gamma, tổng 1 giây | Gamma, sum over 1 s
chart.neutron = Nơ-tron, mỗi giây | Neutrons, per second
chart.background = nền | background
chart.threshold = ngưỡng | threshold
chart.max = cao nhất | highest
chart.cps = xung/giây | counts/s
chart.speed = tốc độ | speed
chart.alarm = BÁO ĐỘNG | ALARM

verdict.form = Quyết định của bạn | Your verdict
verdict.reason = Lý do (cơ quan kia cũng thấy) | Reason (the other agency sees it too)
verdict.submit = Ghi quyết định | Record the verdict
verdict.about = Về | About
verdict.whole = cả lượt qua | the whole passage
verdict.missing = Chọn một quyết định. | Choose a verdict.
verdict.reason.needed = Quyết định này cần có lý do. | This verdict needs a reason.
verdict.reason.long = Lý do dài quá 2000 ký tự. | The reason is longer than 2000 characters.
verdict.changed = Bản ghi đã đổi từ khi bạn mở trang. Xem lại rồi ghi quyết định. | The record has changed since you opened the page. Look again, then record your verdict.

status.title = Kỹ thuật | Technical
status.chains = Chuỗi bản ghi của cửa khẩu | The gates' chains
status.upto = Đủ tới | Whole up to
status.highest = Cao nhất | Highest
status.holes = Thiếu | Missing
status.nohole = không thiếu | none
status.last = Ghi lúc | Last entry
status.suspects = Bản ghi bị cách ly | Quarantined events
status.nosuspects = Không có bản ghi nào bị cách ly. | No event is quarantined.
status.problem = Vấn đề | Problem
status.broken = không nối tiếp bản ghi trước | does not follow the event before it
status.strays = Thông điệp không rõ nguồn | Messages without a place on a chain
status.gaps = Khoảng thiếu khung dữ liệu | Gaps in the devices' frames
status.nogaps = Không có khoảng thiếu nào. | No gaps.
status.from = Từ | From
status.to = Đến | To
status.reason = Nguyên nhân | Reason
status.lost = Số khung | Frames
status.store = Kho của cơ quan | This agency's store
status.events = Bản ghi | Events
status.passages = Lượt qua | Passages
status.frames = Khung dữ liệu | Frames accounted for
status.evidence = Ảnh đã lưu | Evidence stored
status.lacking = Ảnh còn thiếu | Evidence lacking
status.outbox = Chờ gửi đi | Waiting to be sent
status.hub = Trung tâm | Hub
status.received = Nhận lúc | Received
status.type = Loại | Type
status.none = không có | none

error.title = Không mở được trang | The page cannot be shown
error.store = Kho dữ liệu báo lỗi. Kỹ thuật viên xem nhật ký của gatehouse-console. | The store reports an error. A technician finds the cause in the log of gatehouse-console.
error.notfound = Không có trang này. | There is no such page.
`

// codes are the words for coded values: family.value = Vietnamese | English.
const codes = `
state.open = trong làn | in the lane
state.waiting = chờ kết quả | awaiting results
state.closed = đã qua | closed
state.cancelled = huỷ | cancelled

direction.entry = nhập | entry
direction.exit = xuất | exit
direction.unknown = chưa rõ | unknown

flow.goods = hàng hoá | goods
flow.traveller = hành khách | travellers
flow.mixed = hỗn hợp | mixed

kind.vehicle = phương tiện | vehicle
kind.person = người | person
kind.consignment = lô hàng | consignment
kind.wagon = toa tàu | wagon

device.up = hoạt động | up
device.degraded = suy giảm | degraded
device.faulty = hỏng | faulty
device.down = mất tín hiệu | no signal
device.bypassed = bỏ qua | bypassed
device.in-test = đang thử | in test

devicename.rpm = Phóng xạ | Radiation
devicename.camera = Camera | Camera
devicename.vision = Phân tích ảnh | Image analysis
devicename.xray = Soi X-quang | X-ray

irregular.tail-gate = bám đuôi | tail-gating
irregular.reversed = lùi ra | reversed out
irregular.missing-end = không thấy lúc rời | end not seen
irregular.no-presence = không thấy hiện diện | no presence seen
irregular.restart = hệ thống khởi động lại | system restarted

severity.Extreme = Cực kỳ nghiêm trọng | Extreme
severity.Severe = Nghiêm trọng | Severe
severity.Moderate = Trung bình | Moderate
severity.Minor = Nhẹ | Minor
severity.Unknown = Chưa rõ | Unknown

finding.RPM-GAMMA = Phóng xạ gamma | Gamma radiation
finding.RPM-NEUTRON = Phóng xạ nơ-tron | Neutron radiation
finding.XRAY-ANOMALY = Bất thường X-quang | X-ray anomaly
finding.XRAY-OPAQUE = Vùng không soi thấu | Opaque to X-ray
finding.COVERAGE-GAP = Cảm biến không kiểm | Sensor not looking
finding.PLATE-UNREAD = Chưa đọc biển số | Plate unread
finding.PLATE-MISMATCH = Biển số không khớp | Plates differ
finding.TAIL-GATE = Bám đuôi | Tail-gating
finding.IMAGE-UNREADABLE = Ảnh không đọc được | Image unreadable

verdict.RELEASE = Cho qua | Release
verdict.INSPECT = Kiểm tra | Inspect
verdict.HOLD = Tạm giữ | Hold
verdict.FALSE-ALARM = Báo nhầm | False alarm
verdict.CONFIRMED = Vi phạm | Confirmed

cargo.empty = rỗng | empty
cargo.loaded = có hàng | loaded
cargo.partial = có một phần | partly loaded

analysis.pending = đang phân tích | being analysed
analysis.done = đã phân tích | analysed
analysis.unreadable = ảnh không đọc được | image unreadable
analysis.unavailable = phân tích không hoạt động | analysis is down

quality.good = tốt | good
quality.suspect = nghi ngờ | suspect
quality.bad = xấu | bad

reading.radiation.background = nền phóng xạ | radiation background
reading.radiation.sample = mẫu phóng xạ | radiation sample
reading.presence = có vật trong làn | presence
reading.camera.capture = ảnh chụp | capture
reading.xray.event = sự kiện soi | scan event
reading.xray.image = ảnh soi | scan image
reading.device.report = thiết bị báo | device report
reading.frame.invalid = khung hỏng | invalid frame
reading.frame.loss = mất khung | frames lost

view.front = trước | front
view.rear = sau | rear
view.side = bên | side
view.overview = toàn cảnh | overview

sourcekind.device = thiết bị | device
sourcekind.rule = quy tắc | rule
sourcekind.model = mô hình | model

loss.overflow = quá tải | overflow
loss.link = mất kết nối | link lost
loss.restart = khởi động lại | restart
loss.disk-full = đầy đĩa | disk full

type.vn.gatehouse.passage.v1 = lượt qua | passage
type.vn.gatehouse.alert.v1 = cảnh báo | alert
type.vn.gatehouse.verdict.v1 = quyết định | verdict
type.vn.gatehouse.receipt.v1 = biên nhận | receipt
type.vn.gatehouse.device.v1 = thiết bị | device
type.vn.gatehouse.gap.v1 = khoảng thiếu | gap
type.vn.gatehouse.framelog.v1 = sổ khung | frame log
type.vn.gatehouse.wanted.v1 = yêu cầu ảnh | request
`
