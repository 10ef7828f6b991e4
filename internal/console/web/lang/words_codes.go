package lang

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
class.firearm = giống súng | like a firearm
class.blade = giống dao, vật sắc | like a blade
class.explosive = giống thiết bị nổ | like an explosive device
class.ammunition = giống đạn | like ammunition
class.tool = giống dụng cụ | like a tool
class.dense-anomaly = vùng đặc | dense region
class.hidden-volume = khoang ẩn | hidden volume
class.false-wall = vách giả | false wall
class.opaque = không soi thấu | opaque
class.mass-mismatch = khối lượng không khớp | mass does not fit
class.declared-empty = khai rỗng mà có hàng | declared empty, loaded
class.declared-uniform = khai đồng nhất mà lẫn | declared uniform, mixed
class.declared-liquid = khai chất lỏng mà mặt hàng không phẳng | declared a liquid, surface not level
class.declared-metal = khai kim loại mà quá nhẹ | declared metal, too light

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
hold.set = Đặt lệnh lưu giữ | Hold set
hold.lifted = Bỏ lệnh lưu giữ | Hold lifted
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
figure.fill = độ đầy | fill
figure.fill_limit = mức giữa của lô | middle of the lot
figure.limit = ngưỡng | limit
figure.attenuation_inside = độ che trong vùng | attenuation in the region
figure.attenuation_inside_limit = xung quanh | around it
figure.excess_attenuation = độ che quá mẫu rỗng | attenuation beyond the empty template
figure.line_attenuation = độ che của vệt | attenuation of the line
figure.robust_z = độ lệch so với hàng | deviation from the load
figure.share_of_inside = phần thùng không nhìn thấu | share of the inside that is opaque
figure.share_of_item = phần không nhìn thấu | share that is opaque
figure.surface_unevenness = độ cao thấp của mặt hàng | unevenness of the surface
figure.densest_attenuation = độ che chỗ đặc nhất | attenuation of the densest goods
figure.spread_over_middle = độ không đều của hàng | unevenness of the load
figure.transmission_floor = độ truyền nhỏ nhất đo được | least transmission measured
figure.image_mass_kg = khối lượng theo ảnh | mass by the image
figure.image_over_declared = theo ảnh so với khai báo | by the image against declared
figure.image_over_weighed = theo ảnh so với cân | by the image against weighed
figure.load_attenuation = độ che của hàng | the load's attenuation
figure.load_attenuation_limit = mức giữa của lô | middle of the lot
figure.image_kg = khối lượng theo ảnh | mass by the image
figure.image_kg_limit = mức giữa của lô | middle of the lot
figure.rule = quy tắc | rule
figure.declaration = tờ khai | declaration
figure.containers = số container | containers
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
