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
board.col.plate = Biển số · giấy tờ | Plate · document
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
passage.scan.short = Ảnh soi | Scan
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
passage.original = Gốc | File
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

chart.gamma = Gamma | Gamma
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

board.lanes = Các làn | Lanes
lane.empty = Chưa có lượt qua | No passage yet
light.none = đèn tắt | lights off
barrier.estop = DỪNG KHẨN | EMERGENCY STOP
barrier.loop = vòng cảm ứng có xe: | occupied loop:
barrier.photocell = tia chắn bị ngắt | light beam broken
barrier.manual = chế độ tay | manual
barrier.nowatchdog = bo mạch không tự về đỏ khi mất điều khiển | the board does not drop to red by itself

theme.auto = Màu theo máy | Colours of the system
theme.day = Nền sáng | Day colours
theme.night = Nền tối | Night colours

sound.off = Âm tắt | Sound off
sound.on = Âm bật | Sound on
sound.locked = Âm bị khoá – bấm | Sound locked – click
sound.ringing = Đang báo | Sounding
sound.title = Âm báo khi có cảnh báo mới (M) | Sound for new alerts (M)
notify.off = Thông báo | Notify
notify.on = Thông báo bật | Notifying
notify.denied = Trình duyệt chặn thông báo | Notifications blocked
notify.title = Thông báo trên màn hình máy tính khi có cảnh báo mới | Desktop notification of new alerts

alerts.unacked = chưa nhận | not taken
alerts.ack = Nhận cảnh báo | Acknowledge
alerts.settled = đã xong | settled
alerts.acked = đã nhận | acknowledged
alerts.filter = Lọc | Filter
alerts.new.one = 1 cảnh báo mới – xem (V) | 1 new alert – show (V)
alerts.new.many = {n} cảnh báo mới – xem (V) | {n} new alerts – show (V)
filter.all = Tất cả | All
filter.severe = Nghiêm trọng | Severe
filter.mine = Ta chủ trì | We lead
filter.unacked = Chưa nhận | Not taken

name.person = hành khách | traveller
name.nodocument = không đọc được giấy tờ | no document read
name.consignment = lô hàng chưa rõ | consignment not known

plate.wagon = Toa | Wagon
plate.front = Trước | Front
plate.rear = Sau | Rear
plate.crop = Ảnh cắt biển số | Plate crop
plate.stated = cán bộ nhập | stated by an officer

passage.mergedinto = đã ghép vào lượt khác | merged into another
passage.provenance.short = Nguồn gốc | Provenance
passage.versions = Mô hình và quy tắc | Models and rules
passage.id = Mã lượt qua | Passage id
passage.sameplate = Các lượt trước cùng biển số | Earlier passages of this plate

document.title = Giấy tờ | Documents
document.none = Chưa đọc được giấy tờ nào. | No document has been read.
document.reveal = Hiện đầy đủ | Show in full
document.number = Số | Number
document.name = Họ tên | Name
document.birth = Ngày sinh | Born
document.nationality = Quốc tịch | Nationality
document.expiry = Hết hạn | Expires
document.expired = HẾT HẠN | EXPIRED
document.repaired = Ký tự tự sửa | Repaired characters
document.check.ok = số kiểm tra đúng | check digits right
document.check.wrong = số kiểm tra SAI | check digits WRONG
document.digit.wrong = sai số kiểm tra | wrong check digit

declared.title = Khai báo và số đo | Declared and measured
declared.declared = Khai báo | Declared
declared.measured = Đo được | Measured
declared.notfound = không có trong danh sách | not on the list
declared.nolist = làn không dùng danh sách | the lane uses no list
declared.same = khớp | matches
declared.differs = KHÔNG khớp | DIFFERS
declared.what = Mục | Item
declared.result = So sánh | Comparison

fact.plate = Biển trước | Front plate
fact.wagon = Số toa | Wagon number
fact.rear = Biển sau | Rear plate
fact.container = Container | Container
fact.document = Số giấy tờ | Document number
fact.declaration = Tờ khai | Declaration
fact.gross = Trọng lượng | Gross weight
fact.goods = Hàng hoá | Goods
fact.direction = Chiều | Direction
fact.flow = Luồng | Flow
fact.kind = Đối tượng | Kind

codes.barcodes = Mã vạch | Barcodes
codes.title = Container, mã vạch | Container, barcodes
container.ok = số kiểm tra đúng | check digit right
container.wrong = SAI số kiểm tra | check digit WRONG
container.repaired = đã sửa một ký tự | one character repaired
barcode.one = mã vạch | barcode

weight.title = Cân | Weight
weight.settled = trọng lượng ổn định | settled weight
weight.unsettled = chưa ổn định | not settled
weight.over = quá tải cân | over the scale's range
weight.axles = trục | axles

source.plate = Đọc biển số | Plate reading
source.container = Đọc container | Container reading
source.scan = Phân tích ảnh soi | Scan analysis

viewer.edge = Nét | Edges
viewer.colour = Màu | Colour
viewer.level = Mức | Level
viewer.width = Rộng | Width
viewer.hint = Phím + − phóng, mũi tên dời, 0 vừa khung | Keys: + − zoom, arrows move, 0 fit

phrase.asalert = Theo nội dung cảnh báo | As the alert says
phrase.recheck = Đo, soi lại để xác minh | Measure or scan again to verify
phrase.documents = Đối chiếu hồ sơ, tờ khai | Compare papers and declaration
phrase.cleared = Đã kiểm tra, không phát hiện gì | Checked, nothing found

correct.button = Sửa | Correct
correct.enter = Nhập lượt qua bằng tay | Enter a passage by hand
correct.enter.title = Nhập lượt qua không thiết bị nào ghi được | Enter a passage that no device saw
correct.enter.submit = Ghi lượt qua | Record the passage
correct.title = Sửa lượt qua | Correct the passage
correct.intro = Cửa khẩu thực hiện việc sửa và ghi bản mới; cả hai cơ quan đều thấy ai sửa, lúc nào, vì sao. Số đo gốc không bị xoá. | The gate applies the correction and writes a new version; both agencies see who, when and why. No reading is overwritten.
correct.facts = Sửa thông tin | Correct facts
correct.split = Tách làm hai | Split in two
correct.split.at = Lượt mới bắt đầu từ | The new passage begins with
correct.merge = Ghép với lượt khác | Merge with another
correct.merge.other = Lượt được ghép vào đây | Passage that joins this one
correct.cancel = Huỷ lượt qua (không có thật) | Cancel the passage (it was none)
correct.submit = Gửi cho cửa khẩu | Send to the gate
correct.leave = Thôi | Leave
correct.when = Lúc (+07) | At (+07)
correct.reason = Lý do (cơ quan kia cũng thấy) | Reason (the other agency sees it too)
correct.reason.needed = Việc sửa cần có lý do. | A correction needs a reason.
correct.asis = giữ nguyên | as it is
correct.nothing = Chưa nhập thông tin nào để sửa. | Nothing to correct was entered.
correct.unknown = Có giá trị không hợp lệ. | A value is not valid.
correct.container = Số container gồm 4 chữ (chữ thứ tư là U, J hoặc Z) và 7 số. | A container number has 4 letters (the fourth is U, J or Z) and 7 digits.
correct.declaration = Số tờ khai gồm 12 chữ số. | A declaration number has 12 digits.
correct.long = Biển số hoặc số giấy tờ dài quá. | A plate or document number is too long.
correct.lane = Chọn một làn của cửa khẩu. | Choose a lane of the gate.
correct.moment = Thời điểm không hợp lệ. | The moment is not valid.
correct.other = Chọn một lượt qua gần đó trong cùng làn. | Choose a passage near it in the same lane.
correct.other.link = lượt kia | the other passage
correct.made = Đã sửa | Corrections
correct.state.sending = đang gửi tới cửa khẩu | on its way to the gate
correct.state.waiting = chờ cửa khẩu | waiting for the gate
correct.state.applied = đã thực hiện | applied
correct.state.refused = cửa khẩu không thực hiện | not applied by the gate

word.yes = có | yes
word.no = không | no

unit.cps = xung/giây | counts/s
unit.counts = xung | counts
unit.sigma = σ | σ
unit.kg = kg | kg
unit.kmh = km/h | km/h
unit.percent = % | %
unit.days = ngày | days

keys.title = Phím tắt | Keys
keys.physical = Phím tính theo vị trí trên bàn phím: bộ gõ Telex và VNI không ảnh hưởng. | Keys go by their place on the keyboard: Telex and VNI input methods do not matter.
keys.close = Đóng | Close
keys.everywhere = Mọi trang | Everywhere
keys.queue = Hàng đợi cảnh báo | Alert queue
keys.decide = Lượt qua | Passage
keys.viewer = Ảnh soi | Scan viewer
keys.board = Các làn | Lanes
keys.alerts = Cảnh báo | Alerts
keys.status = Kỹ thuật | Technical
keys.sound = Bật, tắt âm báo | Sound on or off
keys.help = Bảng phím này | This help
keys.back = Về danh sách, đóng hộp | Back to the list, close a box
keys.next = Cảnh báo sau | Next alert
keys.previous = Cảnh báo trước | Previous alert
keys.open = Mở lượt qua | Open the passage
keys.ack = Nhận cảnh báo | Acknowledge
keys.shownew = Hiện cảnh báo mới | Show new alerts
keys.code = Chọn quyết định | Choose a verdict
keys.reasons = Lý do viết sẵn | Ready reasons
keys.reason = Viết lý do | Write a reason
keys.record = Ghi quyết định | Record the verdict
keys.correct = Sửa lượt qua | Correct the passage
keys.provenance = Nguồn gốc bản ghi | Provenance
keys.zoom = Phóng to, thu nhỏ | Zoom
keys.fit = Vừa khung | Fit
keys.pan = Dời ảnh (đang chọn ảnh) | Move the image (when it has the focus)
keys.level = Mức sáng | Level
keys.width = Độ rộng cửa sổ | Window width
keys.invert = Đảo màu | Invert
keys.edge = Làm rõ nét | Edges
keys.colour = Màu giả | Pseudo-colour
keys.regions = Hiện vùng đánh dấu | Regions on or off
keys.nextview = Ảnh soi kế tiếp | Next view

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

class.anomaly = bất thường chưa rõ | unknown anomaly
class.dense-anomaly = vùng đặc | dense region
class.hidden-volume = khoang ẩn | hidden volume
class.false-wall = vách giả | false wall
class.opaque = không soi thấu | opaque
class.mass-mismatch = khối lượng không khớp | mass does not fit
class.declared-empty = khai rỗng mà có hàng | declared empty, loaded
class.declared-uniform = khai đồng nhất mà lẫn | declared uniform, mixed

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
reading.weight.sample = mẫu cân | weight sample
reading.weight.stable = trọng lượng ổn định | settled weight
reading.barcode = mã vạch | barcode
reading.document = giấy tờ | document
reading.barrier.state = trạng thái barie | barrier state
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

state.merged = đã ghép | merged

arm.up = cần mở | arm up
arm.down = cần đóng | arm down
arm.between = cần đang chạy | arm moving
arm.unknown = không rõ cần | arm unknown
light.red = đèn đỏ | red light
light.amber = đèn vàng | amber light
light.green = đèn xanh | green light
loop.entry = vào | entry
loop.safety = an toàn | safety
loop.exit = ra | exit
barrierfault.sensor = cảm biến cần mâu thuẫn | arm sensors contradict
barrierfault.open-travel = cần không tới nơi | arm did not arrive
barrierfault.coil = rơ-le không phản hồi | relay does not answer

correction.enter = Nhập bằng tay | Entered by hand
correction.split = Tách | Split
correction.merge = Ghép | Merge
correction.facts = Sửa thông tin | Facts corrected
correction.cancel = Huỷ | Cancelled

devicename.scale = Cân | Scale
devicename.mrz = Giấy tờ | Documents
devicename.barcode = Mã vạch | Barcode
devicename.barrier = Barie | Barrier
devicename.camera2 = Camera sau | Rear camera

irregular.by-hand = nhập bằng tay | entered by hand

finding.RPM-FAULT = Cổng phóng xạ lỗi nền | Portal background fault
finding.WEIGHT-MISMATCH = Cân lệch khai báo | Weight differs
finding.WEIGHT-AXLES = Lệch tổng trục | Axle sum differs
finding.WEIGHT-UNCERTAIN = Cân chưa chắc | Weight uncertain
finding.OVERSPEED = Chạy nhanh | Too fast
finding.NOT-EXPECTED = Không trong danh sách | Not on the list
finding.CONTAINER-CHECK = Sai số container | Container number wrong
finding.DOCUMENT-EXPIRED = Giấy tờ hết hạn | Document expired
finding.DOCUMENT-CHECK = Giấy tờ sai số kiểm tra | Document check digit
finding.CLOCK-LOST = Mất đồng hồ chuẩn | Clock lost
finding.DEVICE-TAMPER = Thiết bị bị can thiệp | Device tampered with

document.TD1 = Thẻ căn cước (TD1) | Identity card (TD1)
document.TD2 = Thẻ (TD2) | Card (TD2)
document.TD3 = Hộ chiếu | Passport
document.MRV-A = Thị thực (A) | Visa (A)
document.MRV-B = Thị thực (B) | Visa (B)
document.CCCD-QR = Căn cước công dân | Citizen identity card
sex.M = nam | male
sex.F = nữ | female
nation.VNM = Việt Nam | Viet Nam
nation.CHN = Trung Quốc | China
nation.LAO = Lào | Laos
nation.KHM = Campuchia | Cambodia
nation.THA = Thái Lan | Thailand
nation.KOR = Hàn Quốc | Korea
nation.JPN = Nhật Bản | Japan
nation.USA = Hoa Kỳ | United States
nation.GBR = Anh | United Kingdom
nation.DEU = Đức | Germany
nation.FRA = Pháp | France
nation.AUS = Úc | Australia
nation.D = Đức | Germany
nation.UTO = Utopia (mẫu) | Utopia (specimen)

figure.max_sigma = cao hơn nền | above background
figure.threshold_sigma = ngưỡng | threshold
figure.background_cps = nền | background
figure.peak_cps = cao nhất | peak
figure.gamma_background_cps = nền gamma | gamma background
figure.neutron_background_cps = nền nơ-tron | neutron background
figure.neutron_counts = nơ-tron đếm được | neutrons counted
figure.image_score = điểm của cả ảnh | score of the image
figure.class = loại | class
figure.front = biển trước | front plate
figure.rear = biển sau | rear plate
figure.state = trạng thái | state
figure.gap_ms = cách xe trước | gap to the vehicle ahead
figure.attempts = số lần thử | attempts
figure.measured_kg = cân được | measured
figure.declared_kg = khai báo | declared
figure.difference_percent = chênh lệch | difference
figure.difference_kg = chênh lệch | difference
figure.expired_days = quá hạn | expired for
figure.speed_kmh = tốc độ | speed
figure.limit_kmh = giới hạn | limit
figure.reason = lý do | reason
figure.allowed_kg = cho phép | allowed
figure.allowed_percent = cho phép | allowed
figure.axles_sum_kg = tổng các trục | sum of the axles
figure.axles = số trục | axles
figure.gross_kg = trọng lượng | gross weight
figure.weighed_gross_kg = cân được | weighed
figure.declared_gross_kg = khai báo | declared
figure.weighed_net_kg = hàng cân được | goods weighed
figure.declared_net_kg = hàng khai báo | goods declared
figure.format = giấy tờ | document
figure.fields = mục sai | wrong fields
figure.expiry = hết hạn | expiry
figure.read_on = đọc ngày | read on
figure.container = container | container
figure.check_digit_should_be = số kiểm tra đúng phải là | check digit should be
figure.asked = đã tra | looked up
figure.listed_from = danh sách từ ngày | listed from
figure.listed_to = đến ngày | listed to
figure.listed_direction = chiều trong danh sách | listed direction
figure.papers_plate = giấy tờ của xe | papers are of
figure.similar = gần giống | looks like
figure.code = mã của thiết bị | device's code
figure.since = từ | since
figure.channel = kênh | channel
figure.fault = lỗi | fault
figure.step_ms = đồng hồ nhảy | clock stepped by

figurevalue.motion = xe chưa đứng yên | vehicle not at rest
figurevalue.over-range = quá tải cân | over range
figurevalue.under-range = dưới dải cân | under range
figurevalue.not-zeroed = cân chưa về không | scale not zeroed
figurevalue.no-zero-before = cân không về không trước khi xe lên | no zero before the vehicle
figurevalue.calibration = quá hạn kiểm định | calibration expired
figurevalue.quality = tín hiệu cân kém | poor signal of the scale
figurevalue.high-background = nền quá cao | background too high
figurevalue.low-background = nền quá thấp | background too low
figurevalue.gamma = gamma | gamma
figurevalue.neutron = nơ-tron | neutron
figurevalue.number = số giấy tờ | number
figurevalue.birth = ngày sinh | date of birth
figurevalue.birth_date = ngày sinh không có thật | impossible date of birth
figurevalue.birth_year = năm sinh | year of birth
figurevalue.expiry = ngày hết hạn | expiry
figurevalue.expiry_date = ngày hết hạn không có thật | impossible date of expiry
figurevalue.personal = số cá nhân | personal number
figurevalue.composite = số kiểm tra chung | composite check digit
figurevalue.sex = giới tính | sex
figurevalue.century = thế kỷ sinh | century of birth

figure.error = lỗi | error
`
