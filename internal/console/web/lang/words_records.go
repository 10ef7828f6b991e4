package lang

// records are the sentences of accounts, search, devices and audit:
// key = Vietnamese | English.
const records = `
nav.search = Tìm | Search
nav.devices = Thiết bị | Devices
nav.audit = Nhật ký | Audit
nav.users = Tài khoản | Accounts

login.disabled = Tài khoản này đã bị khoá. Hãy hỏi chỉ huy ca. | This account is disabled. Ask your supervisor.
error.forbidden = Vai trò của bạn không được mở trang này. Lần thử đã được ghi vào nhật ký. | Your role may not open this page. The attempt was recorded in the audit.

setup.title.user = Đặt mật khẩu | Choose your password
setup.choose = Đặt mật khẩu | Choose the password
setup.invalid.user = Nếu liên kết do chỉ huy gửi, hãy xin liên kết mới: mỗi liên kết chỉ dùng một lần, trong 24 giờ. | If a supervisor gave you the link, ask for a new one: each works once, within 24 hours.

role.officer = Cán bộ | Officer
role.supervisor = Chỉ huy | Supervisor
role.technician = Kỹ thuật viên | Technician
role.auditor = Kiểm tra viên | Auditor
role.about.officer = xem, quyết định và sửa lượt qua, xem giấy tờ | sees, decides and corrects passages, sees documents
role.about.supervisor = như cán bộ; thêm tài khoản, nhật ký và xuất dữ liệu | as an officer; also accounts, audit and export
role.about.technician = xem thiết bị và lượt qua; giấy tờ bị che; không quyết định | sees devices and passages; documents are masked; decides nothing
role.about.auditor = xem tất cả, kể cả nhật ký; xuất dữ liệu; không thay đổi gì | sees everything, the audit too; exports; changes nothing

right.see = xem lượt qua và cảnh báo | see passages and alerts
right.decide = quyết định, nhận cảnh báo, ghi chú | decide, acknowledge, write notes
right.correct = nhập và sửa lượt qua | enter and correct passages
right.documents = xem giấy tờ đầy đủ (có ghi nhật ký) | see documents in full (audited)
right.devices = xem thiết bị và kỹ thuật | see devices and technical pages
right.users = quản lý tài khoản | keep accounts
right.audit = đọc nhật ký | read the audit
right.export = xuất dữ liệu | export records

account.title = Tài khoản của bạn | Your account
account.badge.why = cơ quan kia chỉ thấy số hiệu này | the other agency sees only this number
account.may = Được phép | You may
account.maynot = (không được) | (not allowed)
account.password = Đổi mật khẩu | Change the password
account.old = Mật khẩu hiện tại | Present password
account.new = Mật khẩu mới (ít nhất 12 ký tự) | New password (at least 12 characters)
account.submit = Đổi mật khẩu | Change the password
account.wrong = Mật khẩu hiện tại không đúng. | The present password is wrong.
account.changed = Đã đổi mật khẩu. Các phiên khác của bạn đã kết thúc. | The password was changed. Your other sessions have ended.

users.title = Tài khoản của cơ quan | The agency's accounts
users.new = Tài khoản mới | New account
users.create = Tạo và lấy liên kết | Create and get the link
users.create.why = Không có mật khẩu mặc định: người dùng tự đặt bằng liên kết một lần. | There is no default password: the user chooses one by a one-time link.
users.badge = Số hiệu | Badge
users.role = Vai trò | Role
users.state = Tình trạng | State
users.last = Đăng nhập gần nhất | Last log-in
users.acts = Thao tác | Actions
users.setrole = Đổi | Set
users.active = hoạt động | active
users.invited = chờ đặt mật khẩu, đến | waits for a password, until
users.expired = liên kết đã hết hạn | the link has expired
users.disabled = khoá từ | disabled since
users.never = chưa lần nào | never
users.reset = Đặt lại | Reset
users.disable = Khoá | Disable
users.enable = Mở lại | Enable
users.link = Liên kết đặt mật khẩu của | Link to choose a password, of
users.link.once = Trao liên kết này cho đúng người. Nó chỉ hiện một lần, dùng một lần, trong 24 giờ. | Give this link to that person only. It is shown once and works once, within 24 hours.
users.noname = Nhập họ và tên (tối đa 100 ký tự). | Enter the full name (at most 100 characters).
users.norole = Chọn một vai trò. | Choose a role.
users.taken = Đã có tài khoản với tên đăng nhập này. | There is an account of this log-in name already.
users.lastone = Đây là chỉ huy cuối cùng còn đăng nhập được: tạo một chỉ huy khác trước. | This is the last supervisor who can log in: make another one first.

search.title = Tìm lượt qua | Search passages
search.plate = Biển số, hoặc một phần; * và ? thay ký tự | Plate or part of one; * and ? are wildcards
search.alike = Cả biển dễ nhầm | Look-alikes too
search.container = Số công-te-nơ | Container
search.declaration = Tờ khai, mã vạch | Declaration, barcode
search.document = Giấy tờ, họ tên | Document, name
search.words = Hàng hoá, lý do | Goods, reasons
search.words.hint = không cần dấu | accents do not matter
search.from = Từ lúc (+07) | From (+07)
search.to = Đến lúc (+07) | Until (+07)
search.lane = Làn | Lane
search.direction = Chiều | Direction
search.kind = Loại | Kind
search.state = Trạng thái | State
search.finding = Phát hiện | Finding
search.decision = Quyết định | Verdict
search.any = tất cả | any
search.disagree = hai cơ quan khác nhau | the agencies disagree
search.undecided = chưa ai quyết định | nobody has decided
search.submit = Tìm | Search
search.clear = Xoá | Clear
search.found = lượt qua | passages
search.newest = Mới nhất trước | Newest first
search.none = Không tìm thấy lượt qua nào như vậy. | No such passage was found.
search.nomore = Không còn lượt qua nào nữa. | There are no more passages.
search.cut = Đã xem 20.000 lượt mà chưa đủ một trang. Bấm trang tiếp để tìm xa hơn, hoặc thu hẹp thời gian. | 20,000 passages were looked at without filling the page. Go on to the next page to look further back, or narrow the time.
search.pages = Các trang | Pages
search.first = Mới nhất | Newest
search.next = Cũ hơn | Older
search.like = Biển dễ nhầm với | Plates that look like
search.similar = dễ nhầm | look-alike
search.similar.why = Khớp khi coi các ký tự dễ nhầm là một | It matches when characters that are easily mistaken count as one
search.numbers = Công-te-nơ, tờ khai, hàng | Container, declaration, goods
search.decl = TK | decl.
search.docs = giấy tờ | documents
search.noplate = không có biển | no plate
search.blind = Chỉ lượt qua mà thiết bị không kiểm được: | Only passages on which this device did not look:
search.invalid = Chỉ lượt qua có khung hỏng của thiết bị: | Only passages with invalid frames of:
search.badtime = Thời gian không đúng: cần dạng 2026-05-02T06:00. | The time cannot be read: want 2026-05-02T06:00.
search.badpage = Liên kết trang không đúng. | The link of this page is not right.
`
