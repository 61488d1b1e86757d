package search

import (
	"reflect"
	"testing"
)

// Whatever field of a view differs, the views differ: an answer kept for one is
// not given for the other.
func TestViewsThatDiffer(t *testing.T) {
	whole := func() View {
		return View{Line: []Candidate{{PR: 1}}, Builds: []Build{{ID: 1}}, Reds: []Red{{Times: 1}}}
	}
	if !whole().Same(whole()) {
		t.Error("a view differs from itself")
	}
	for _, of := range []func(v *View) reflect.Value{
		func(v *View) reflect.Value { return reflect.ValueOf(v).Elem() },
		func(v *View) reflect.Value { return reflect.ValueOf(&v.Rates).Elem() },
		func(v *View) reflect.Value { return reflect.ValueOf(&v.Line[0]).Elem() },
		func(v *View) reflect.Value { return reflect.ValueOf(&v.Builds[0]).Elem() },
		func(v *View) reflect.Value { return reflect.ValueOf(&v.Reds[0]).Elem() },
	} {
		v := whole()
		for i := range of(&v).NumField() {
			v := whole()
			field := of(&v).Field(i)
			switch field.Kind() {
			case reflect.Bool:
				field.SetBool(true)
			case reflect.Int, reflect.Int64:
				field.SetInt(7)
			case reflect.Float64:
				field.SetFloat(0.5)
			case reflect.Slice:
				field.Set(reflect.Append(field, reflect.Zero(field.Type().Elem())))
			case reflect.Struct:
				continue // looked at by itself
			default:
				t.Fatalf("no other value known of %s", field.Type())
			}
			if v.Same(whole()) {
				t.Errorf("%s.%s does not count", of(&v).Type().Name(), of(&v).Type().Field(i).Name)
			}
		}
	}
}
