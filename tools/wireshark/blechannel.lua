-- Shows blechannel's fragments and frames, and records that `blechannel capture export FILE.pcapng` has opened.
-- Generated from the code: change that, then run `make docs`.
--
-- Copy this file into Wireshark's personal plug-in folder (Help, About, Folders), or start Wireshark with
-- -X lua_script:blechannel.lua.
-- It knows our characteristics where discovery was captured. Where it was not, set the two handles in the preferences.

local KINDS = {
    [17] = "Info",
    [18] = "Pair1",
    [19] = "Pair2",
    [20] = "Pair3",
    [21] = "Reconnect1",
    [22] = "Reconnect2",
    [23] = "Record",
    [24] = "Refuse",
}
local RECORDS = {
    [1] = "Nonce",
    [2] = "Confirm",
    [3] = "Bonded",
    [4] = "Ready",
    [5] = "Open",
    [6] = "Data",
    [7] = "Credit",
    [8] = "Shut",
    [9] = "Close",
    [10] = "Deny",
    [11] = "Copied",
}
local METHODS = {
    [0] = "reconnect",
    [1] = "passkey",
    [2] = "words",
    [3] = "out of band",
    [4] = "certificate",
}
local SUITES = {
    [1] = "classical",
    [2] = "hybrid",
}
local REFUSALS = {
    [1] = "not recognised",
    [2] = "pairing closed",
    [3] = "busy",
    [4] = "unsupported",
    [5] = "failed",
    [6] = "no room",
}
local FRAGMENT_HEADER, FRAME_HEADER = 2, 3
local INFO, PAIR1, RECONNECT1, REFUSE = 17, 18, 21, 24

local channel = Proto("blechannel", "blechannel")
local f = {
    control = ProtoField.bool("blechannel.control", "Control fragment"),
    starts = ProtoField.bool("blechannel.starts", "A frame starts here"),
    number = ProtoField.uint8("blechannel.number", "Fragment number"),
    acknowledgement = ProtoField.uint8("blechannel.acknowledgement", "Expects next"),
    kind = ProtoField.uint8("blechannel.kind", "Frame", base.HEX, KINDS),
    length = ProtoField.uint16("blechannel.length", "Length of the body"),
    body = ProtoField.bytes("blechannel.body", "Body"),
    mode = ProtoField.uint8("blechannel.info.mode", "Pairing window", base.DEC, {[0] = "closed", [1] = "open"}),
    nonce = ProtoField.bytes("blechannel.info.nonce", "Nonce"),
    version = ProtoField.uint8("blechannel.hello.version", "Version"),
    suite = ProtoField.uint8("blechannel.hello.suite", "Suite", base.DEC, SUITES),
    method = ProtoField.uint8("blechannel.hello.method", "Method", base.DEC, METHODS),
    reason = ProtoField.uint8("blechannel.refuse.reason", "Reason", base.DEC, REFUSALS),
}
channel.fields = f
channel.prefs.inbox = Pref.uint("Handle of inbox", 0, "0: from discovery")
channel.prefs.outbox = Pref.uint("Handle of outbox", 0, "0: from discovery")

local partial, whole = {}, {}

function channel.init()
    partial, whole = {}, {}
end

-- One direction of one connection; HCI gives both ends an address, and so does the air.
local function direction(pinfo)
    return tostring(pinfo.src) .. ">" .. tostring(pinfo.dst)
end

-- On the first pass fragments are joined; later ones look up what came of it.
local function joined(data, starts, pinfo)
    if pinfo.visited then
        return whole[pinfo.number]
    end
    local key = direction(pinfo)
    if starts then
        partial[key] = ByteArray.new()
    end
    local parts = partial[key]
    if parts == nil then
        return nil
    end
    parts:append(data:bytes())
    if parts:len() >= FRAME_HEADER and parts:len() >= FRAME_HEADER + parts:get_index(1) * 256 + parts:get_index(2) then
        whole[pinfo.number] = parts
        partial[key] = nil
    end
    return whole[pinfo.number]
end

local function show_frame(tvb, pinfo, tree)
    local kind = tvb(0, 1):uint()
    local name = KINDS[kind] or "no frame"
    local branch = tree:add(channel, tvb(), "blechannel " .. name)
    branch:add(f.kind, tvb(0, 1))
    branch:add(f.length, tvb(1, 2))
    if tvb:len() > FRAME_HEADER then
        branch:add(f.body, tvb(FRAME_HEADER))
    end
    if kind == INFO and tvb:len() >= FRAME_HEADER + 26 then
        branch:add(f.mode, tvb(FRAME_HEADER + 4, 1))
        branch:add(f.nonce, tvb(FRAME_HEADER + 10, 16))
    elseif (kind == PAIR1 or kind == RECONNECT1) and tvb:len() >= FRAME_HEADER + 3 then
        branch:add(f.version, tvb(FRAME_HEADER, 1))
        branch:add(f.suite, tvb(FRAME_HEADER + 1, 1))
        branch:add(f.method, tvb(FRAME_HEADER + 2, 1))
    elseif kind == REFUSE and tvb:len() > FRAME_HEADER then
        branch:add(f.reason, tvb(FRAME_HEADER, 1))
    end
    pinfo.cols.info:append(" " .. name)
end

function channel.dissector(tvb, pinfo, tree)
    if tvb:len() < FRAGMENT_HEADER then
        return 0
    end
    local first, second = tvb(0, 1):uint(), tvb(1, 1):uint()
    local control, mark = second >= 128, first >= 128
    if control ~= (tvb:len() == FRAGMENT_HEADER) then
        return 0
    end
    pinfo.cols.protocol = "blechannel"
    local branch = tree:add(channel, tvb(), control and "blechannel acknowledgement" or "blechannel fragment")
    branch:add(f.control, tvb(1, 1), control)
    branch:add(f.starts, tvb(0, 1), mark and not control)
    branch:add(f.number, tvb(0, 1), first % 128)
    branch:add(f.acknowledgement, tvb(1, 1), second % 128)
    if not control then
        local frame = joined(tvb(FRAGMENT_HEADER), mark, pinfo)
        if frame ~= nil and frame:len() >= FRAME_HEADER then
            show_frame(frame:tvb("blechannel frame"), pinfo, tree)
        end
    end
    return tvb:len()
end

for _, uuid in ipairs({"b1ec0001-7c4b-4f0e-9a53-5d8f6a3c21e7", "b1ec0002-7c4b-4f0e-9a53-5d8f6a3c21e7"}) do
    DissectorTable.get("bluetooth.uuid"):add(uuid, channel)
end

function channel.prefs_changed()
    for _, handle in ipairs({channel.prefs.inbox, channel.prefs.outbox}) do
        if handle > 0 then
            DissectorTable.get("btatt.handle"):add(handle, channel)
        end
    end
end

local record = Proto("blechannel.record", "blechannel record")
local r = {
    sender = ProtoField.uint8("blechannel.record.sender", "Sender", base.DEC, {[0] = "phone", [1] = "watch"}),
    number = ProtoField.uint64("blechannel.record.number", "Number"),
    kind = ProtoField.uint8("blechannel.record.type", "Type", base.DEC, RECORDS),
    body = ProtoField.bytes("blechannel.record.body", "Body"),
}
record.fields = r

function record.dissector(tvb, pinfo, tree)
    if tvb:len() < 10 then
        return 0
    end
    pinfo.cols.protocol = "blechannel"
    local branch = tree:add(record, tvb())
    branch:add(r.sender, tvb(0, 1))
    branch:add(r.number, tvb(1, 8))
    branch:add(r.kind, tvb(9, 1))
    if tvb:len() > 10 then
        branch:add(r.body, tvb(10))
    end
    local sender = tvb(0, 1):uint() == 0 and "phone" or "watch"
    local name = RECORDS[tvb(9, 1):uint()] or "unknown"
    pinfo.cols.info = sender .. " record " .. tostring(tvb(1, 8):uint64()) .. " " .. name
    return tvb:len()
end
