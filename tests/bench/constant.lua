-- constant.lua — one and the same request again and again: wrk -s constant.lua URL -- BODY|- HEADER...
-- With a body it is a POST.
function init(args)
	local headers = {}
	for i = 2, #args do
		local name, value = args[i]:match("^([^:]+): (.*)$")
		headers[name] = value
	end
	local body = args[1] ~= "-" and args[1] or nil
	text = wrk.format(body and "POST" or "GET", nil, headers, body)
end

function request()
	return text
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format("constant %d %d %d\n", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout))
end
