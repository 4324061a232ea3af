-- Response variant: which of a URL's answers a request selects. Stands before the scripts of responses.
--
-- A URL is a hash: `v` the fields that its answers vary by, a comma between them; `o` its variants, the oldest first, a
-- space between them; and a field for each variant. `request` holds a digest of each field of the request,
-- `,name=digest,..,`, and `base` is what the variant is called without any.
-- Inner    none
local function variant(base, vary, request)
  for name in string.gmatch(vary, '[^,]+') do
    local _, at = string.find(request, ',' .. name .. '=', 1, true)
    base = base .. '.' .. (at and string.sub(request, at + 1, at + 16) or '')
  end
  return base
end
